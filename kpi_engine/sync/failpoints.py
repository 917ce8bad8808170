"""The steps of a sync, at each of which the tests let it die: whatever happens there, the next sync puts right."""

from __future__ import annotations

import os
import signal
from typing import Final

VARIABLE: Final = "KPI_FAILPOINT"
STEPS: Final = (
    "locked", "opened", "begun", "landed", "before_commit", "committed", "finished", "checkpointed", "copied", "published",
)  # fmt: skip


def reached(step: str) -> None:
    """Pass a step; where the environment variable KPI_FAILPOINT says `step:kill`, the process dies there, with `step:error` it fails."""
    wanted, _, how = os.environ.get(VARIABLE, "").partition(":")
    if wanted != step:
        return
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(f"the failpoint `{step}`")

"""Install small distributions as pip would leave them: a module beside a `dist-info` folder with its entry points."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GOOD_OUTPUT = """
    from pydantic import BaseModel, ConfigDict
    from kpi_engine.api import hookimpl

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")

    class Good:
        name = "WORD"
        Config = Options
        suffix = ".txt"
        def __init__(self, config): self.config = config
        def render(self, report, target): target.write(b"good")

    @hookimpl
    def outputs():
        return [Good]
"""

GOOD_SOURCE = """
    from pydantic import BaseModel
    from kpi_engine.api import hookimpl

    class Good:
        name = "WORD"
        class Config(BaseModel):
            dsn: str
        def __init__(self, config, context): pass
        def tables(self): return []
        def scan(self, scan): return None

    @hookimpl
    def sources():
        return [Good]
"""


def good_output(word: str) -> str:
    return GOOD_OUTPUT.replace("WORD", word)


def good_source(word: str) -> str:
    return GOOD_SOURCE.replace("WORD", word)


def install(site: Path, distribution: str, code: str, *, name: str = "", version: str = "1.0") -> str:
    """Install a distribution with one module and one entry point; give the module's name."""
    module = distribution.replace("-", "_")
    site.mkdir(exist_ok=True)
    (site / f"{module}.py").write_text(dedent(code))
    describe(site, distribution, {name or distribution.removeprefix("kpi-output-"): module}, version=version)
    return module


def describe(site: Path, distribution: str, entry_points: Mapping[str, str], *, version: str = "1.0") -> Path:
    """Write the `dist-info` folder of a distribution."""
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    points = "".join(f"{name} = {value}\n" for name, value in entry_points.items())
    (info / "entry_points.txt").write_text(f"[kpi_engine]\n{points}")
    return info

"""The state that a tap is told: the one that was kept, less what is fetched again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpi_engine.texttimes import earlier_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.api import Stream, Wanted

_MARK = "replication_key_value"


def told(state: Any, wanted: Sequence[Wanted]) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401 - a JSON value
    """Give the state for a tap, and the streams whose lookback it does not have.

    Streams that are not merged by key are told whole, others from their lookback on.
    """
    whole = [each.stream.name for each in wanted if each.stream.loading != "merge"]
    back = [each.stream for each in wanted if each.stream.lookback is not None and each.stream.name not in whole]
    if not isinstance(state, dict) or not isinstance(state.get("bookmarks"), dict):
        return (None, ()) if whole or state is None else (state, tuple(stream.name for stream in back))
    bookmarks = {name: mark for name, mark in state["bookmarks"].items() if name not in whole}
    unmoved = []
    for stream in back:
        if stream.name in bookmarks:
            moved = _moved(bookmarks[stream.name], stream)
            if moved == bookmarks[stream.name]:
                unmoved.append(stream.name)
            bookmarks[stream.name] = moved
    return {**state, "bookmarks": bookmarks}, tuple(unmoved)


def _moved(mark: Any, stream: Stream) -> Any:  # noqa: ANN401
    """Move the times of a bookmark back: the bookmark itself, that of its stream, and those of its partitions."""
    if isinstance(mark, str):
        assert stream.lookback is not None  # noqa: S101 - only such streams are moved
        return earlier_text(mark, stream.lookback) or mark
    if not isinstance(mark, dict):
        return mark
    moved = {k: _moved(v, stream) if k in (_MARK, stream.cursor) and isinstance(v, str) else v for k, v in mark.items()}
    if isinstance(mark.get("partitions"), list):
        moved["partitions"] = [_moved(each, stream) for each in mark["partitions"]]
    return moved

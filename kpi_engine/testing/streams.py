"""The rules of a source whose rows are fetched and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest

from kpi_engine.api import Checkpoint, KpiError, Message, Rows, SourceContext, SourceError, Stream, Wanted
from kpi_engine.catalogue.declared import is_type
from kpi_engine.testing.common import ClassKit, said_secrets, settings_of

NOWHERE = "no_stream_has_this_name"


@dataclass(frozen=True)
class StreamCase:
    """A stream source with settings that work: `stream` names one of its streams, which has rows. `root` stands for the project's folder."""

    plugin: type[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    stream: str = ""
    root: Path = Path()

    def made(self) -> Any:  # noqa: ANN401
        """Make the source as the engine does."""
        config, _ = settings_of(self.plugin, self.settings, self.root)
        return self.plugin(config, SourceContext("case", self.root))


class StreamSourceKit(ClassKit):
    """The rules of a stream source."""

    kind = "source"
    __test__: ClassVar[bool] = False

    def test_streams_are_named(self, case: StreamCase) -> None:
        """`streams()` gives a list of `Stream`, each under a name of its own, and the stream of the case among them."""
        found = case.made().streams()
        assert isinstance(found, list | tuple), f"`streams` gave {type(found).__name__}"
        assert all(isinstance(each, Stream) for each in found), "`streams` gave something that is no `Stream`"
        names = [each.name for each in found]
        assert len(names) == len(set(names)), f"two streams have one name: {sorted(names)}"
        assert case.stream in names, f"`{case.stream}` is not among the streams: {sorted(names)}"

    def test_columns_have_types(self, case: StreamCase) -> None:
        """Types of columns are those of DuckDB: `VARCHAR`, `DECIMAL(18,2)`, `TIMESTAMPTZ`."""
        streams = [each for each in case.made().streams() if isinstance(each, Stream)]
        wrong = {
            f"{each.name}.{column}": kind
            for each in streams
            for column, kind in each.columns.items()
            if not is_type(kind)
        }
        assert not wrong, f"these are no types: {wrong}"

    def test_it_gives_messages_of_what_is_wanted(self, case: StreamCase) -> None:
        """`read` gives messages of the streams that are wanted and of no others, and rows among them."""
        messages = self.messages(case)
        wrong = [type(each).__name__ for each in messages if not isinstance(each, get_args(Message))]
        assert not wrong, f"these are no messages: {wrong}"
        others = {each.stream for each in messages if isinstance(each, Rows)} - {case.stream}
        assert not others, f"rows of streams that nobody wants: {sorted(others)}"
        assert self.rows(messages), "the stream has no rows; the case needs one that has some"

    def test_rows_have_their_key_and_their_cursor(self, case: StreamCase) -> None:
        """Rows have the columns of the stream's key and its cursor, and no key is unknown."""
        stream = self.stream(case)
        for row in self.rows(self.messages(case)):
            assert {*stream.key, *filter(None, [stream.cursor])} <= row.keys(), f"a row has only {sorted(row)}"
            assert all(row[name] is not None for name in stream.key), "a row has no key"

    def test_it_remembers_nothing(self, case: StreamCase) -> None:
        """Asked again without a state, it gives all rows again: the engine remembers, not the source."""
        source = case.made()
        first, second = (self.rows(self.messages(case, source=source)) for _ in range(2))
        assert sorted(map(repr, first)) == sorted(map(repr, second)), "the second reading gave other rows"

    def test_its_state_can_be_kept(self, case: StreamCase) -> None:
        """The state of a checkpoint is a JSON value, which comes back as it was."""
        for each in self.messages(case):
            if isinstance(each, Checkpoint):
                assert json.loads(json.dumps(each.state)) == each.state, f"{each.state!r} is no JSON"

    def test_it_goes_on_from_its_state(self, case: StreamCase) -> None:
        """With the state of its last checkpoint it gives no rows that it did not give before, while the data are the same."""
        messages = self.messages(case)
        state = next((each.state for each in reversed(messages) if isinstance(each, Checkpoint)), None)
        known = set(map(repr, self.rows(messages)))
        assert {repr(row) for row in self.rows(self.messages(case, state=state))} <= known, (
            "rows came that were not there before"
        )

    def test_it_can_be_stopped_early(self, case: StreamCase) -> None:
        """The engine may close `read` after the first message."""
        with closing(iter(case.made().read([Wanted(self.stream(case))], None))) as messages:
            next(messages)

    def test_a_stream_that_is_not_there_is_said(self, case: StreamCase) -> None:
        """A stream that is not there is a `SourceError` that names it, with a hint."""
        with pytest.raises(SourceError) as caught:
            list(case.made().read([Wanted(Stream(NOWHERE))], None))
        assert NOWHERE in caught.value.message, "the message does not name the stream"
        assert caught.value.hint, "there is no hint"

    def test_secrets_are_not_said(self, case: StreamCase) -> None:
        """Neither the source, nor its messages, nor its errors say a secret."""
        config, plugins = settings_of(case.plugin, case.settings, case.root)
        source = case.plugin(config, SourceContext("case", case.root))
        said = [repr(source), repr(config), *(repr(each) for each in self.messages(case) if not isinstance(each, Rows))]
        try:
            list(source.read([Wanted(Stream(NOWHERE))], None))
        except KpiError as error:
            said.append(str(error))
        assert not any(said_secrets(plugins, each) for each in said), "a secret was said"

    def stream(self, case: StreamCase) -> Stream:
        """Find the stream of the case."""
        return next(
            (each for each in case.made().streams() if getattr(each, "name", "") == case.stream), Stream(case.stream)
        )

    def messages(self, case: StreamCase, state: Any = None, source: Any = None) -> list[Any]:  # noqa: ANN401
        """Read the stream of the case."""
        return list((source or case.made()).read([Wanted(self.stream(case))], state))

    def rows(self, messages: list[Any]) -> list[dict[str, Any]]:
        """Give the rows among messages."""
        from arro3.core import Table

        tables = [Table.from_arrow(each.data) for each in messages if isinstance(each, Rows)]
        return [
            dict(zip(t.column_names, row, strict=True))
            for t in tables
            for row in zip(*(c.to_pylist() for c in t.columns), strict=True)
        ]

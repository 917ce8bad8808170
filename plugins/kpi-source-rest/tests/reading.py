"""The source as the tests read it: with a clock of their own, and rows as plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from arro3.core import Table
from kpi_source_rest.source import RestSource

from kpi_engine.api import Checkpoint, Notice, Rows, SourceContext, Wanted


class FakeClock:
    """A clock that only waiting moves; chance is the middle."""

    def __init__(self):
        self.waits, self.passed = [], 0.0

    def now(self):
        return self.passed

    def today(self):
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.passed += seconds

    def chance(self):
        return 0.5


def source(api, endpoint, *, client=None, clock=None, name="contacts", more=None, **resource):
    """Make a source of one stream."""
    settings = {
        "client": {"base_url": api.url + "/v1", **(client or {})},
        "resources": [{"name": name, "endpoint": endpoint, **resource}],
        "timeouts": {"connect": 2, "read": 2},
        **(more or {}),
    }
    return RestSource(
        RestSource.Config.model_validate(settings), SourceContext("crm", Path.cwd()), clock or FakeClock()
    )


def messages(made, since=None):
    """Read all streams of a source."""
    return list(made.read([Wanted(each, since) for each in made.streams()], None))


def rows(made, since=None):
    """Give the rows of a source."""
    found = []
    for message in messages(made, since):
        if isinstance(message, Rows):
            found += plain(message.data)
    return found


def plain(data):
    """Give the rows of a table of Arrow."""
    table = Table.from_arrow(data)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return [{name: values[n] for name, values in columns.items()} for n in range(table.num_rows)]


def notices(found):
    return [each.text for each in found if isinstance(each, Notice)]


def kinds(found):
    return [type(each).__name__ for each in found if isinstance(each, Rows | Checkpoint | Notice)]

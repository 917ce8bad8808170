"""The program of the server: fakesnow, with what it lacks that the engine's statements have.

DuckDB has no collation `utf8`, and compares texts byte by byte by itself. A session of Snowflake answers several statements at once,
where a connection of DuckDB would refuse: here they wait for each other.
"""

import asyncio
import sys
from collections import defaultdict

import uvicorn
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.server import app
from sqlglot import exp, parse_one

plain = FakeSnowflakeCursor.execute


def execute(cursor, command, *args, **more):
    """Run a statement without what says nothing on DuckDB."""
    if "COLLATE(" in command:
        command = parse_one(command, read="snowflake").transform(_bytewise).sql("snowflake")
    return plain(cursor, command, *args, **more)


def _bytewise(node):
    is_bytewise = isinstance(node, exp.Collate) and node.expression.name == "utf8"
    return node.this if is_bytewise else node


class InTurn:
    """Let the statements of a session wait for each other."""

    def __init__(self, app):
        self.app, self.locks = app, defaultdict(asyncio.Lock)

    async def __call__(self, scope, receive, send):
        """Answer one request."""
        session = dict(scope.get("headers", ())).get(b"authorization")
        async with self.locks[session]:
            await self.app(scope, receive, send)


FakeSnowflakeCursor.execute = execute
uvicorn.run(InTurn(app), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

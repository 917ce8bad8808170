"""What a question becomes: a statement for DuckDB, and what other engines are asked for before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Transfer:
    """What one source is asked for, and the table that its answer becomes here.

    `dataset` is there where rows travel, and `reason` says why these and not their aggregates.
    """

    source: str
    dialect: str
    statement: str
    table: str
    dataset: str = ""
    reason: str = ""
    count: str = ""
    """The statement that counts the rows that would travel."""
    shown: str = ""
    """The statement, laid out for people."""


@dataclass(frozen=True)
class Query:
    """A statement for DuckDB, after what it needs of other engines has travelled."""

    statement: str
    transfers: tuple[Transfer, ...] = ()

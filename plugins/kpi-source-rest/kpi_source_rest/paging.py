"""The pages of an answer: which one comes next, and when there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from kpi_source_rest.records import ABSENT, found
from kpi_source_rest.settings import Cursor, HeaderLink, JsonLink, Offset, PageNumber

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))', re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """What asks for a page: parameters, or the address that the API gave."""

    params: tuple[tuple[str, str], ...] = ()
    url: str = ""
    after: int = 0
    """How many records the page before had, where these were fewer than asked for."""


@dataclass(frozen=True)
class Got:
    """What a page held, as far as the next one depends on it."""

    value: Any
    records: int
    link: str = ""
    keyed: bool = False
    """Whether a record that comes twice is known to be one."""


class GapError(Exception):
    """A page had fewer records than asked for, and there are more: those between two pages would be missed."""

    def __init__(self, records: int, limit: int) -> None:
        super().__init__(records, limit)
        self.records, self.limit = records, limit


def first(paginator: Any) -> Page:  # noqa: ANN401 - one of the settings' kinds
    """Give the first page."""
    match paginator:
        case PageNumber(page_param=name, base_page=number):
            return Page(((name, str(number)),))
        case Offset():
            return _at(paginator, paginator.offset)
    return Page()


def following(paginator: Any, page: Page, got: Got) -> Page | None:  # noqa: ANN401
    """Give the page after one; None after the last.

    Raises `LookupError` with the path of a total that is not there, and `GapError` where records would be missed.
    """
    match paginator:
        case PageNumber():
            return _numbered(paginator, int(page.params[0][1]), got)
        case Offset():
            return _counted(paginator, page, got)
        case Cursor(cursor_path=path, cursor_param=name):
            token = found(got.value, path)
            return None if token in (ABSENT, None, "", False) else Page(((name, str(token)),))
        case JsonLink(next_url_path=path):
            url = found(got.value, path)
            return Page(url=str(url)) if url not in (ABSENT, None, "", False) else None
        case HeaderLink(links_next_key=name):
            url = links(got.link).get(name.lower(), "")
            return Page(url=url) if url else None
    return None


def links(header: str) -> dict[str, str]:
    """Read the header `Link`.

    >>> links('<https://a.example/x?page=2>; rel="next", </x?page=9>; rel=last')
    {'next': 'https://a.example/x?page=2', 'last': '/x?page=9'}
    """
    named: dict[str, str] = {}
    for url, attributes in _LINK.findall(header):
        if rel := _REL.search(attributes):
            for name in (rel[1] or rel[2]).lower().split():
                named.setdefault(name, url)
    return named


def _numbered(paginator: PageNumber, number: int, got: Got) -> Page | None:
    upcoming = number + 1
    if paginator.total_path:
        total = _total(got.value, paginator.total_path)
        over = upcoming >= total + paginator.base_page
    else:
        over = got.records == 0
    if over or (paginator.maximum_page is not None and upcoming > paginator.maximum_page):
        return None
    return Page(((paginator.page_param, str(upcoming)),))


def _counted(paginator: Offset, page: Page, got: Got) -> Page | None:
    """Give the page after one of so many records.

    A page with fewer is the last one, or the API gives no more at once: records with a key are asked for from there on, as those that
    come twice are one; of others it cannot be told which ones are missing.
    """
    offset, total = int(page.params[0][1]), None
    short = got.records if got.records < paginator.limit else 0
    upcoming = offset + (short if short and got.keyed else paginator.limit)
    if paginator.total_path:
        total = _total(got.value, paginator.total_path)
    if not got.keyed:
        if page.after and got.records:
            raise GapError(page.after, paginator.limit)
        if short and total is not None and offset + short < total:
            raise GapError(short, paginator.limit)
    over = got.records == 0 if total is None else upcoming >= total
    if over or (paginator.maximum_offset is not None and upcoming >= paginator.maximum_offset):
        return None
    return replace(_at(paginator, upcoming), after=short)


def _at(paginator: Offset, offset: int) -> Page:
    return Page(((paginator.offset_param, str(offset)), (paginator.limit_param, str(paginator.limit))))


def _total(value: Any, path: str) -> int:  # noqa: ANN401
    total = found(value, path)
    if isinstance(total, str) and total.isdecimal():
        return int(total)
    if isinstance(total, bool) or not isinstance(total, int):
        raise LookupError(path)  # noqa: TRY004 - what is missing is a number at this path
    return total

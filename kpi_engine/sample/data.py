"""The sample data: two years of a made-up company, in one file per table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_engine.sample.brands import brand
from kpi_engine.sample.content import content_item, content_share_snapshot, posts
from kpi_engine.sample.days import FIRST_DAY, LAST_DAY
from kpi_engine.sample.files import load, write_csv, write_parquet
from kpi_engine.sample.funnel import deal, lead, leads, stages, web_conversion
from kpi_engine.sample.links import link_edge
from kpi_engine.sample.media import media_coverage, media_outlet
from kpi_engine.sample.mentions import mention
from kpi_engine.sample.search import domain_score, search_performance
from kpi_engine.sample.social import social_account, social_account_snapshot, social_post
from kpi_engine.sample.spend import marketing_spend
from kpi_engine.sample.tables import TABLES
from kpi_engine.sample.web import build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from kpi_engine.sample.content import Post
    from kpi_engine.sample.web import Request

__all__ = ["FIRST_DAY", "LAST_DAY", "NOTICE", "write_data"]

NOTICE: Final = {"en": "Sample data: generated, not real.", "fr": "Données d’exemple : générées, non réelles."}
"""What must be said wherever the numbers are shown. All people, companies and numbers are made up."""


def write_data(folder: Path) -> None:
    """Write the 18 tables of two years into a folder that is there: the same rows on every machine.

    Each file is named after its table: `brand.csv`, `web_session.parquet`.
    """
    import duckdb

    published = posts()
    with duckdb.connect() as connection:
        requests = build(connection, published)
        for name, rows in _tables(published, requests).items():
            layout = TABLES[name]
            if layout.format == "csv":
                write_csv(folder / f"{name}.csv", layout.columns, rows)
            else:
                load(connection, name, layout.columns, rows)
        for name, layout in TABLES.items():
            if layout.format == "parquet":
                write_parquet(connection, name, folder / f"{name}.parquet")


def _tables(published: Sequence[Post], requests: Sequence[Request]) -> Mapping[str, Iterable[tuple[object, ...]]]:
    all_leads = leads(requests)
    reached = stages(all_leads)
    return {
        "brand": brand(),
        "web_conversion": web_conversion(requests, all_leads),
        "content_item": content_item(published),
        "content_share_snapshot": content_share_snapshot(published),
        "social_account": social_account(),
        "social_account_snapshot": social_account_snapshot(),
        "social_post": social_post(published),
        "mention": mention(),
        "media_outlet": media_outlet(),
        "media_coverage": media_coverage(),
        "lead": lead(all_leads, reached),
        "deal": deal(all_leads, reached),
        "marketing_spend": marketing_spend(),
        "search_performance": search_performance(published),
        "link_edge": link_edge(),
        "domain_score": domain_score(),
    }

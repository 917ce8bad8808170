"""The canonical tables of marketing data: their columns in order, with their SQL types, and the format each is written in."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Format = Literal["csv", "parquet"]


@dataclass(frozen=True)
class Layout:
    """A table's columns with their SQL types, and the format it is written in: large tables as Parquet, the others as CSV."""

    columns: Mapping[str, str]
    format: Format = "csv"


_TYPES: Final = MappingProxyType(
    {
        "text": "VARCHAR",
        "whole": "BIGINT",
        "int": "INTEGER",
        "real": "DOUBLE",
        "money": "DECIMAL(18,2)",
        "yesno": "BOOLEAN",
        "date": "DATE",
        "instant": "TIMESTAMPTZ",
    }
)


def _layout(columns: str, file_format: Format = "csv") -> Layout:
    """Read `name:type name name:type`; a column without a type is a text."""
    pairs = (word.partition(":") for word in columns.split())
    return Layout(MappingProxyType({name: _TYPES[kind or "text"] for name, _, kind in pairs}), file_format)


TABLES: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "brand": _layout("brand_id name is_own:yesno competitor_set"),
        "web_session": _layout(
            "session_id site_id visitor_id user_id started_at:instant session_number:int duration_seconds:real"
            " engagement_seconds:real page_views:int is_engaged:yesno source medium campaign channel landing_path"
            " device country",
            "parquet",
        ),
        "web_page_view": _layout(
            "page_view_id session_id visitor_id viewed_at:instant page_url page_path section content_id"
            " engagement_seconds:real",
            "parquet",
        ),
        "web_conversion": _layout(
            "conversion_id session_id visitor_id occurred_at:instant conversion_type is_direct_request:yesno lead_id"
            " value:money currency"
        ),
        "content_item": _layout("content_id content_type url title author published_at:instant topic"),
        "content_share_snapshot": _layout("content_id network captured_on:date shares_cumulative:whole"),
        "social_account": _layout("account_id network handle brand_id is_owned:yesno"),
        "social_account_snapshot": _layout("account_id captured_on:date followers:whole"),
        "social_post": _layout(
            "post_id account_id network published_at:instant post_type text url is_paid:yesno likes:whole"
            " comments:whole shares:whole reposts:whole quotes:whole saves:whole clicks:whole impressions:whole"
            " reach:whole metrics_captured_at:instant"
        ),
        "mention": _layout(
            "mention_id brand_id source_type network author_id is_own_author:yesno published_at:instant text url"
            " language country sentiment sentiment_score:real sentiment_source reach:whole engagement:whole",
            "parquet",
        ),
        "media_outlet": _layout(
            "outlet_id name domain media_type country avg_readership:whole readership_unit readership_source"
            " readership_as_of:date ad_rate:money ad_rate_unit ad_rate_currency"
        ),
        "media_coverage": _layout(
            "clip_id brand_id outlet_id published_at:instant headline url sentiment sentiment_source reach:whole"
            " space_units:real ave_vendor:money ave_currency is_syndicated:yesno campaign"
        ),
        "lead": _layout(
            "lead_id created_at:instant request_type channel source campaign country mql_at:instant sal_at:instant"
            " contacted_at:instant sql_at:instant opportunity_at:instant customer_at:instant disqualified_at:instant"
        ),
        "deal": _layout(
            "deal_id lead_id customer_id created_at:instant closed_at:instant is_won:yesno amount:money currency"
            " gross_margin_rate:real attributed_channel"
        ),
        "marketing_spend": _layout(
            "spend_date:date platform channel campaign_id campaign cost_type amount:money currency impressions:whole"
            " clicks:whole"
        ),
        "search_performance": _layout(
            "data_date:date site_url page query is_anonymized:yesno country device search_type impressions:whole"
            " clicks:whole sum_position:whole",
            "parquet",
        ),
        "link_edge": _layout("graph_id captured_on:date source target is_nofollow:yesno anchor"),
        "domain_score": _layout("domain provider metric captured_on:date value:real rank:whole"),
    }
)
"""All 18 tables by name."""

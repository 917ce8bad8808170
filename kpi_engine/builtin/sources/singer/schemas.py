"""What a tap says of its streams: JSON schemas as SQL types, catalogs as streams, and the streams that are wanted marked in a catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.api import SourceError, Stream
from kpi_engine.errors import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LARGEST: Final = 2**63 - 1
_MOST_DECIMALS: Final = 18


def type_of(schema: Mapping[str, Any]) -> str:
    """Give the SQL type of a JSON schema; several types at once are a text.

    >>> type_of({"type": ["null", "integer"]}), type_of({"type": "string", "format": "date-time"}), type_of({"type": "object"})
    ('BIGINT', 'TIMESTAMPTZ', 'JSON')
    """
    kinds = {kind for each in _choices(schema) for kind in _kinds(each)} - {"null"}
    if kinds == {"integer"}:
        return "HUGEINT" if float(schema.get("maximum") or 0) > _LARGEST else "BIGINT"
    if kinds == {"string"}:
        return _type_of_text(schema)
    if kinds and kinds <= {"integer", "number"}:
        return _type_of_number(schema)
    if kinds == {"boolean"}:
        return "BOOLEAN"
    return "JSON" if kinds & {"object", "array"} else "VARCHAR"


def _choices(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [schema, *(each for key in ("anyOf", "oneOf") for each in schema.get(key, ()))]


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _type_of_text(schema: Mapping[str, Any]) -> str:
    formats = {str(each["format"]) for each in _choices(schema) if each.get("format")}
    texts = [each for each in _choices(schema) if "string" in _kinds(each)]
    if len(formats) != 1 or not all(each.get("format") for each in texts):
        return "VARCHAR"
    known = {"date-time": "TIMESTAMPTZ", "date": "DATE", "singer.decimal": "DECIMAL(38,9)"}
    return known.get(formats.pop(), "VARCHAR")


def _type_of_number(schema: Mapping[str, Any]) -> str:
    """A number is as exact as its schema says: with a step of 0.01 it is a decimal of two digits, without one a floating-point number."""
    step = schema.get("multipleOf")
    if not isinstance(step, int | float) or step <= 0:
        return "DOUBLE"
    decimals = len(f"{step:.{_MOST_DECIMALS}f}".rstrip("0").partition(".")[2])
    return f"DECIMAL(38,{decimals})"


def stream_of(message: Mapping[str, Any]) -> Stream:
    """Read a SCHEMA message; raise `SourceError` where it is none as Singer has it."""
    try:
        return _stream_of(message)
    except (KeyError, AttributeError, TypeError, ValueError):
        raise SourceError(
            f"the tap does not say what the stream {shown(message.get('stream'))} looks like as Singer has it",
            code="bad_tap",
            hint="a SCHEMA has `stream`, `key_properties`, and in `schema` an object of `properties`, each with its JSON schema",
        ) from None


def _stream_of(message: Mapping[str, Any]) -> Stream:
    properties = message.get("schema", {}).get("properties", {})
    bookmarks = message.get("bookmark_properties") or []
    bookmarks = [bookmarks] if isinstance(bookmarks, str) else bookmarks
    return Stream(
        str(message["stream"]),
        {name: type_of(schema) for name, schema in properties.items()},
        key=tuple(message.get("key_properties") or ()),
        cursor=bookmarks[0] if bookmarks else "",
    )


def streams_of(catalog: Mapping[str, Any]) -> list[Stream]:
    """Read the streams of a catalog."""
    return [_catalogued(entry) for entry in catalog.get("streams", ())]


def _catalogued(entry: Mapping[str, Any]) -> Stream:
    said = _said_of(entry)
    key = entry.get("key_properties") or said.get("table-key-properties") or ()
    cursor = entry.get("replication_key") or said.get("replication-key") or ""
    if not cursor and len(said.get("valid-replication-keys") or ()) == 1:
        cursor = said["valid-replication-keys"][0]
    name = name_of(entry)
    return stream_of(
        {**entry, "stream": name, "key_properties": key, "bookmark_properties": [cursor] if cursor else []}
    )


def name_of(entry: Mapping[str, Any]) -> str:
    """Give the name of a catalog's stream, as its messages have it."""
    return str(entry.get("stream") or entry.get("tap_stream_id"))


def _said_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a catalog's metadata say of the stream as a whole."""
    about: list[Mapping[str, Any]] = [
        each.get("metadata", {}) for each in entry.get("metadata") or () if not each.get("breadcrumb")
    ]
    return about[0] if about else {}


def selected(catalog: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Mark the streams that are wanted, with all their columns, in every way in which taps look for it."""
    return {**catalog, "streams": [_marked(entry, name_of(entry) in names) for entry in catalog.get("streams", ())]}


def _marked(entry: Mapping[str, Any], wanted: bool) -> dict[str, Any]:  # noqa: FBT001
    metadata = [dict(each) for each in entry.get("metadata") or ()]
    if not any(not each.get("breadcrumb") for each in metadata):
        metadata.insert(0, {"breadcrumb": [], "metadata": {}})
    for each in metadata:
        about = dict(each.get("metadata") or {})
        if not each.get("breadcrumb") or (wanted and about.get("inclusion") != "unsupported"):
            about["selected"] = wanted
        each["metadata"] = about
    schema = {**entry.get("schema", {}), "selected": wanted}
    return {**entry, "metadata": metadata, "schema": schema, "selected": wanted}


def checked(stream: Stream) -> Stream:
    """Refuse a key that the schema does not have: rows could not be told apart."""
    lacking = [name for name in stream.key if stream.columns and name not in stream.columns]
    if lacking:
        raise SourceError(
            f"the tap says that the key of `{stream.name}` is {', '.join(lacking)}, which its schema does not have",
            code="bad_tap", hint=f"say what its key is: `sync: {{streams: {{{stream.name}: {{key: …}}}}}}`",
        )  # fmt: skip
    return replace(stream, cursor=stream.cursor if stream.cursor in stream.columns else "")

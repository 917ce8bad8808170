"""What the models of the language share: their names, and the shorter ways to write something."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from .naming import LANGUAGE, LENGTH, NAME, RESERVED


def _texts(value: object) -> object:
    return {"": value} if isinstance(value, str) else value


def names(value: object) -> object:
    """One name is short for a list of it."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def key_map(value: object) -> object:
    """`[content_id]` is short for `{content_id: content_id}`."""
    if isinstance(value, str):
        return {value: value}
    return (
        {name: name for name in value} if isinstance(value, list) and all(isinstance(n, str) for n in value) else value
    )


def by_name(value: object) -> object:
    """`[channel, device]` is short for `{channel: , device: }`."""
    return dict.fromkeys(value) if isinstance(value, list) and all(isinstance(n, str) for n in value) else value


def or_empty(value: object) -> object:
    """Take a key without a value for a mapping without entries."""
    return {} if value is None else value


def path_of(value: object) -> object:
    """A text is short for a dimension's `path`, and nothing for the column of its name."""
    if value is None:
        return {}
    return {"path": value} if isinstance(value, str) else value


def column_of(value: object) -> object:
    """A text is short for a time's `column`."""
    return {"column": value} if isinstance(value, str) else value


def unit_of(value: object) -> object:
    """A text is short for an age's `unit`."""
    return {"unit": value} if isinstance(value, str) else value


def source_of(value: object) -> object:
    """A text is short for what an input is `from`."""
    return {"from": value} if isinstance(value, str) else value


def sources_of(value: object) -> object:
    """`[visits]` is short for `{visits: visits}`."""
    return (
        {name: name for name in value} if isinstance(value, list) and all(isinstance(n, str) for n in value) else value
    )


def _text_like(pattern: str, mend: str, **more: Any) -> WithJsonSchema:  # noqa: ANN401 - of any JSON
    """Say to editors which texts are taken; the engine checks names and languages itself, and says more about them."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "patternErrorMessage": mend, **more})


def _name(place: str = "") -> WithJsonSchema:
    taken = RESERVED.get(place, ())
    mend = "a name begins with a letter a to z, and holds only such letters, digits and single `_`"
    others = f"; it is not {' or '.join(f'`{word}`' for word in taken)}" if taken else ""
    free = f"(?!(?:{'|'.join(taken)})$)" if taken else ""
    return _text_like(free + NAME, mend + others, maxLength=LENGTH)


ONCE = Field(json_schema_extra={"uniqueItems": True})
Name = Annotated[str, _name()]
KpiName = Annotated[str, _name("kpis")]
UnitName = Annotated[str, _name("units")]
DimensionName = Annotated[str, _name("dimensions")]
Language = Annotated[str, _text_like(LANGUAGE, "write two small letters, such as `en` or `fr`")]
Texts = Annotated[dict[str, str], BeforeValidator(_texts, json_schema_input_type=str | dict[Language, str])]
"""A text in several languages, `{en: …, fr: …}`; a plain text stands under the empty key, for every language."""
Names = Annotated[tuple[str, ...], BeforeValidator(names, json_schema_input_type=str | list[str])]
"""A name, or a list of names."""
Keys = Annotated[dict[str, str], BeforeValidator(key_map, json_schema_input_type=dict[str, str] | list[str] | str)]
"""Columns here and there: `{here: there}`, or the names of those that are called the same on both sides."""

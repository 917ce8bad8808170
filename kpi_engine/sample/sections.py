"""Definitions as the text of a definition file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import yaml

from kpi_engine.sample.yamltext import is_plain


def in_yaml(sections: Mapping[str, Any]) -> str:
    """Write sections of a definition file as YAML that means the same to every reader: only names stand without quotes.

    >>> print(in_yaml({"kpis": {"visits": {"inputs": ["sessions"], "formula": "count(sessions)", "label": "no"}}}), end="")
    kpis:
      visits:
        inputs:
          - sessions
        formula: "count(sessions)"
        label: "no"
    """
    return yaml.dump(
        _plain(sections), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=float("inf")
    )  # fmt: skip


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if is_plain(text) else "|" if "\n" in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


class _Dumper(yaml.SafeDumper):
    """Writes texts in quotes unless they are names, and repeats what stands in two places: an alias is refused by whoever reads the file."""

    yaml_representers: ClassVar[dict[type, Any]] = {**yaml.SafeDumper.yaml_representers, str: _text}

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - yaml's own
        super().increase_indent(flow, indentless=False)


def _plain(value: object) -> object:
    """Give mappings and lists of any make as those that YAML has."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value

"""The output `html`: a report as one self-contained page, without scripts and without a network."""

from __future__ import annotations

import base64
import hashlib
from typing import IO, TYPE_CHECKING, ClassVar

from kpi_engine.builtin.deferred import Deferred

if TYPE_CHECKING:
    from jinja2 import Environment

    from kpi_engine.api import Report
    from kpi_engine.builtin.outputs.settings import HtmlConfig


class HtmlOutput:
    """Write a report as one HTML file: light and dark, wide and narrow, on paper, and for a screen reader.

    The page carries its style and its charts, runs no script, and its content security policy forbids it to load anything.
    """

    name: ClassVar[str] = "html"
    Config = Deferred("kpi_engine.builtin.outputs.settings", "HtmlConfig")
    suffix: ClassVar[str] = ".html"

    def __init__(self, config: HtmlConfig) -> None:
        self.config = config

    def render(self, report: Report, target: IO[bytes]) -> None:
        """Write the page as UTF-8."""
        from kpi_engine.builtin.outputs.html.page import page

        templates = _templates()
        style = templates.get_template("style.css").render()
        text = templates.get_template("template.html.j2").render(page=page(report), policy=_policy(style))
        target.write(text.encode("utf-8", "backslashreplace"))


def _templates() -> Environment:
    """Make the sandbox: templates see plain data only, escape all of it, and stop at a name that is not there."""
    from jinja2 import PackageLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        loader=PackageLoader("kpi_engine.builtin.outputs.html", ""),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _policy(style: str) -> str:
    """Allow the page its own style, by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"

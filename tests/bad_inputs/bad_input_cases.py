"""What a case of a bad input is, how its file is read, and how what was found is written back into it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from bad_input_bytes import GENERATORS
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
AREAS = (
    "formulas", "yaml", "names", "definitions", "datasets", "conditions", "parameters", "periods", "requests", "size",
)  # fmt: skip
_NAME = re.compile(r"(?P<id>[A-Z]+\d+)-[a-z0-9]+(?:-[a-z0-9]+)*")
BASE = {
    "kpi.yaml": "project: shop\nsources: {data: {plugin: files, path: data}}\n",
    "definitions/orders.yaml": """\
datasets:
  orders:
    key: id
    time: day
    columns: {amount: {type: "decimal(18,2)"}}
    dimensions: {region: , tenant: {sql: tenant_id}}
kpis:
  revenue: {inputs: [orders], formula: sum(amount)}
""",
    "data/orders.csv": """\
id,tenant_id,region,amount,day,email
1,1,north,10.00,2026-01-05,a@example.org
2,1,north,20.00,2026-01-20,b@example.org
3,2,south,5.00,2026-02-03,c@example.org
""",
    "data/salaries.csv": "person,salary\n1,424242\n2,424243\n",
}
"""What a case does not write itself: three orders, 30 in the north and 5 in the south, and beside them a table that no dataset names."""


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Piece(Strict):
    """A text many times over."""

    times: int = 1
    text: str


class Mistake(Strict):
    """One mistake as it is to be reported; `place` is `file:line:column`, as far as it is known."""

    code: str
    place: str = ""
    message: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"


class Ask(Strict):
    """What is asked after the check: the arguments of `Engine.run`, and of `kpi run` where they do not follow from these."""

    kpis: list[str] | None = None
    role: str | None = None
    by: list[str] = []
    grain: str | None = None
    period: Any = None
    where: dict[str, Any] | None = None
    where_sql: str | None = None
    having: dict[str, Any] | None = None
    compare: list[str] = []
    order: list[str] = []
    limit: Any = None
    like_for_like: Any = False
    top: Any = None
    rank: Any = []
    share: Any = []
    as_of: Any = None
    parameters: dict[str, Any] | None = None
    dense: bool = True
    language: str | None = None
    currency: Any = None
    command: list[str] | None = None
    """The options of `kpi run`; needed beside `where`, `having`, `parameters`, mappings and values that are no texts. Empty: there is no way to say it."""

    def arguments(self) -> dict[str, Any]:
        return self.model_dump(exclude={"command"}, exclude_unset=True)

    def words(self) -> list[str]:
        """Give the arguments of `kpi run`; none where the command line cannot say it."""
        if self.command is not None:
            return self.command
        single = {
            name: getattr(self, name)
            for name in ("role", "grain", "period", "where_sql", "limit", "top", "as_of", "language", "currency")
        }
        options = [(name, value) for name, value in single.items() if value is not None]
        options += [
            (name, value) for name in ("by", "compare", "order", "rank", "share") for value in getattr(self, name)
        ]
        written = [word for name, value in options for word in (f"--{name.replace('_', '-')}={value}",)]
        return [
            *(self.kpis or []),
            *written,
            *([] if self.dense else ["--sparse"]),
            *(["--like-for-like"] if self.like_for_like else []),
        ]

    @model_validator(mode="after")
    def _can_be_said(self) -> Ask:
        assert self.command is not None or not (self.where or self.having or self.parameters), "say it as `command` too"
        return self


class Case(Strict):
    """A bad input and its one outcome."""

    why: Annotated[str, Field(min_length=20)]
    files: dict[str, str | None] = {}
    made: dict[str, str | list[str | Piece]] = {}
    ask: Ask | None = None
    outcome: Literal["refused", "error", "unknown", "dropped", "number"]
    mistakes: list[Mistake] = []
    values: list[str | int | float | bool | None] = []

    @model_validator(mode="after")
    def _fits(self) -> Case:
        failed = self.outcome in ("refused", "error")
        assert failed == any(each.severity == "error" for each in self.mistakes), "mistakes do not fit the outcome"
        assert failed != bool(self.values), "values do not fit the outcome"
        assert self.outcome == "refused" or self.ask is not None, "nothing is asked"
        assert self.outcome != "unknown" or set(self.values) == {None}, "a value is known"
        assert self.files or self.made or self.ask, "nothing is wrong here"
        return self

    def project(self) -> dict[str, bytes]:
        """Give the files of the project, byte for byte."""
        texts = {
            name: text for name, text in {**BASE, **self.files}.items() if text is not None and name not in self.made
        }
        return {name: text.encode() for name, text in texts.items()} | {
            name: _bytes(how) for name, how in self.made.items()
        }


def _bytes(how: str | list[str | Piece]) -> bytes:
    if isinstance(how, str):
        return GENERATORS[how]()
    return "".join(each if isinstance(each, str) else each.text * each.times for each in how).encode()


class _Loader(yaml.SafeLoader):
    """YAML in which a key may not stand twice."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in loader.construct_pairs(node, deep=True):
        assert key not in found, f"the key {key!r} stands twice, {node.start_mark}"
        found[key] = value
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _read(file: Path) -> dict[str, Any]:
    found = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - made of the safe one
    assert isinstance(found, dict)
    return found


def files() -> list[Path]:
    """List the files of all cases."""
    return sorted(HERE.glob("*/*.yaml"))


def id_of(file: Path) -> str:
    """Give the id of a case, with which the name of its file begins."""
    match = _NAME.fullmatch(file.stem)
    assert match, f"{file.name} is not called <id>-<slug>.yaml"
    return match["id"]


def outcome_line(file: Path) -> str:
    """Give the outcome of a case without reading the rest of it; empty where none is written yet."""
    match = re.search(r"^outcome: (\w+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else ""


def load(file: Path) -> Case:
    """Read a case."""
    return Case.model_validate(_read(file))


def draft(file: Path) -> Case:
    """Read a case whose outcome is not written yet."""
    given = _read(file)
    kept = {key: value for key, value in given.items() if key in ("why", "files", "made", "ask")}
    return Case.model_validate(kept | {"outcome": "refused", "mistakes": [{"code": "", "message": ""}]})


def rewrite(file: Path, expected: Mapping[str, Any]) -> None:
    """Write what was found in place of what was expected, which stands last, from the line `outcome:` on."""
    text = file.read_text(encoding="utf-8")
    dropped = re.search(r"^outcome: dropped$", text, re.MULTILINE) and expected["outcome"] == "number"
    kept = re.split(r"^(?:outcome|mistakes|values):", text, maxsplit=1, flags=re.MULTILINE)[0]
    outcome = {**expected, "outcome": "dropped"} if dropped else expected
    end = yaml.safe_dump(dict(outcome), allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=False)
    file.write_text(kept + end, encoding="utf-8")

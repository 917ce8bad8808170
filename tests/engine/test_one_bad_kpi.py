"""One bad KPI among many: it fails with its reason, and the others are as if it were not there."""

from __future__ import annotations

import pytest

import kpi_engine

MANY = 24
GOOD = "".join(f"  k{n}: {{role: team, inputs: [facts], formula: sum(amount) + {n}}}\n" for n in range(MANY))
PERIOD = {"period": "2026-01", "as_of": "2026-06-01"}
FAULTS = {
    "a formula that does not end": ("syntax", "[facts]", "sum(amount", ""),
    "a column that is not there": ("unknown_column", "[facts]", "sum(nothing)", ""),
    "a function that is not there": ("unknown_function", "[facts]", "frob(amount)", ""),
    "a number too large": ("overflow", "[facts]", "max(big) * max(big)", ""),
    "a circle": ("cycle", "[bad]", "bad + 1", ""),
    "an input that is not there": ("unknown_input", "[elsewhere]", "elsewhere + 1", ""),
    "a table that is not there": ("missing_file", "[other]", "count(other)", "table: gone, time: day"),
    "a source that is not there": ("unknown_source", "[other]", "count(other)", "table: gone, source: far, time: day"),
    "a damaged file": ("malformed_file", "[other]", "count(other)", "table: damaged.parquet, time: day"),
    "a value that is not of its type": (
        "bad_value", "[other]", "sum(v)", "table: rough, time: day, columns: {v: {type: integer}, day: {type: date}}",
    ),
    "amounts in two currencies": (
        "mixed_currencies", "[other]", "sum(v)",
        "table: mixed, time: day, columns: {v: {type: 'decimal(18,2)', currency: c}, day: {type: date}}",
    ),
    "a key that stands twice": ("key_not_unique", "[other]", "count_if(twice.n > 0)", "table: mixed, time: day, columns: {day: {type: date}}, joins: {twice: {to: twice, keys: [c]}}"),
    "a time that is not there": ("unknown_column", "[other]", "count(other)", "table: fact, time: nope"),
    "a query over what is not there": ("unknown_column", "[other]", "count(other)", "sql: select nothing from facts, time: day"),
    "a transform that is not there": ("unknown_plugin", "[other]", "count(other)", "from: facts, transform: nosuch"),
    "a plugin that is not there": ("unknown_plugin", "[other]", "count(other)", "table: t, source: unheard, time: day"),
    "a plugin that cannot be imported": ("broken_plugin", "[other]", "count(other)", "table: t, source: broken, time: day"),
    "a KPI below that fails": ("unknown_column", "[below]", "below * 2", ""),
}  # fmt: skip
DATA = {
    "fact.csv": "id,day,amount,big\n" + "".join(f"{n},2026-01-{n % 28 + 1:02},{n},{2**62}\n" for n in range(50)),
    "rough.csv": "day,v\n2026-01-01,1\n2026-01-02,x\n",
    "mixed.csv": "day,v,c\n2026-01-01,1,EUR\n2026-01-02,2,USD\n",
    "twice.csv": "c,n\nEUR,1\nEUR,2\nUSD,3\n",
    "damaged.parquet": "PAR1 and no more",
}


@pytest.fixture
def project(tmp_path):
    """Write the project with one more KPI, or without."""
    for name, text in {
        "kpi.yaml": "project: many\nsources:\n  data: {plugin: files, path: data}\n  unheard: {plugin: unheard}\n  broken: {plugin: broken}\n",
        "plugins/broken.py": "raise RuntimeError('no')\n",
        **{f"data/{name}": text for name, text in DATA.items()},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def written(inputs="", formula="", other=""):
        more = (
            f"  other: {{{other if 'source:' in other or not other.startswith('table') else other + ', source: data'}}}\n"
            if other
            else ""
        )
        bad = f'  bad: {{role: team, inputs: {inputs}, formula: "{formula}"}}\n' if formula else ""
        (tmp_path / "definitions").mkdir(exist_ok=True)
        (tmp_path / "definitions" / "all.yaml").write_text(
            "roles: {team: {label: Team}}\ndatasets:\n"
            "  facts: {table: fact, key: id, time: day, source: data, columns: {day: {type: date}}}\n"
            f"  twice: {{table: twice, key: c, source: data}}\n{more}kpis:\n{GOOD}"
            f"  below: {{inputs: [facts], formula: sum(nothing)}}\n{bad}"
        )
        return tmp_path

    return written


@pytest.mark.parametrize("fault", FAULTS)
def test_the_others_are_as_if_it_were_not_there(project, fault):
    code, inputs, formula, other = FAULTS[fault]
    with kpi_engine.open(project(inputs, formula, other)) as engine:
        result = engine.run(role="team", **PERIOD)
        ((name, failure),) = result.failures.items()
        assert (name, failure.code) == ("bad", code)
        assert failure.message
        (row,) = result.rows()
        assert row.pop("bad") is None
        assert row == {f"k{n}": sum(range(50)) + n for n in range(MANY)}
        (section,) = engine.report(role="team", **PERIOD, trend=False, compare=()).sections
        assert {card.measure.id: card.value for card in section.cards if not card.failure} == row
        assert [card.failure.code for card in section.cards if card.failure] == [code]

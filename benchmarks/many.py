"""A large project: thousands of KPIs over hundreds of datasets, a file of definitions and a small file of data for each dataset.

python benchmarks/many.py FOLDER [KPIS] [DATASETS]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

ROWS = 60
ROLES = 20
CHANNELS = ("search", "email", "direct", "display")
SETTINGS = """project: many
calendar: {timezone: Europe/Paris}
sources:
  data: {plugin: files, path: data}
definitions: [definitions]
"""
DATASET = """datasets:
  facts_{n}:
    table: facts_{n}
    key: id
    time: day
    columns:
      amount: {{type: "decimal(18,2)", unit: EUR}}
    dimensions:
      channel: {{label: {{en: Channel, fr: Canal}}}}
      score:
    joins:
      account: {{to: facts_{other}, keys: {{account_id: id}}}}
kpis:
"""
TEXTS = """    role: role_{role}
    label: {{en: Number {k} of facts {n}, fr: Chiffre {k} des faits {n}}}
    description: {{en: "What number {k} says of facts {n}, and to whom."}}
"""
KPI, PERIOD = "ratio_0_3", "2026-Q1"
"""A KPI that `kpi run` can ask for, and when."""
STATEMENT = """SELECT count(*) FILTER (score > 0) / nullif(sum(amount) FILTER (channel = 'email' AND score > 1), 0) AS ratio_0_3
FROM read_csv('data/facts_0.csv') WHERE day BETWEEN DATE '2026-01-01' AND DATE '2026-03-31'"""
"""Its counterpart by hand."""


@dataclass(frozen=True)
class Sizes:
    """How many KPIs over how many datasets there are."""

    kpis: int = 5_000
    datasets: int = 200


def write(folder: Path, sizes: Sizes) -> None:
    """Write the project; each dataset gets its share of the KPIs."""
    for name in ("definitions", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    roles = "".join(f"  role_{number}: {{label: Role {number}}}\n" for number in range(ROLES))
    (folder / "kpi.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "definitions" / "roles.yaml").write_text(f"roles:\n{roles}", encoding="utf-8")
    for number in range(sizes.datasets):
        share = sizes.kpis // sizes.datasets + (number < sizes.kpis % sizes.datasets)
        text = DATASET.format(n=number, other=(number + 1) % sizes.datasets)
        text += "".join(kpi(number, place) for place in range(share))
        (folder / "definitions" / f"facts_{number}.yaml").write_text(text, encoding="utf-8")
        (folder / "data" / f"facts_{number}.csv").write_text(facts(number), encoding="utf-8")


def kpi(dataset: int, place: int) -> str:
    """Write a KPI: of five in a row three are filtered, the fourth is a ratio of the first two, and the fifth is derived from it."""
    first = place - place % 5
    if place % 5 == 3:  # noqa: PLR2004 - the fourth
        name, made = f"ratio_{dataset}_{place}", ratio(f"base_{dataset}_{first}", f"base_{dataset}_{first + 1}")
    elif place % 5 == 4:  # noqa: PLR2004 - the fifth
        below = f"ratio_{dataset}_{place - 1}"
        name = f"derived_{dataset}_{place}"
        made = f"    inputs: {{now: {below}, before: {{from: {below}, offset: 1 month}}}}\n    formula: now / before - {place}\n"
    else:
        name, made = f"base_{dataset}_{place}", base(dataset, place)
    texts = TEXTS.format(role=(dataset + place) % ROLES, k=place, n=dataset)
    return f"  {name}:\n{texts}{made}"


def base(dataset: int, place: int) -> str:
    """Write a filtered KPI over rows."""
    where = (f"score > {place}", f"channel = 'email' and score > {place}", f"account.channel in ('search', 'c{place}')")
    formula = ("count(x)", "sum(x.amount)", "count(distinct x.person)")
    kind = place % 5
    return f'    inputs: {{x: {{from: facts_{dataset}, where: "{where[kind]}"}}}}\n    formula: {formula[kind]}\n'


def ratio(one: str, other: str) -> str:
    """Write a KPI over two others."""
    return f"    inputs: [{one}, {other}]\n    formula: {one} / {other}\n    better: higher\n"


def facts(dataset: int) -> str:
    """Write the rows of a dataset, a day for each."""
    lines = [
        f"{n},{date(2026, 1, 1) + timedelta(days=n)},{(n * 7 + dataset) % 17},{n},{CHANNELS[(n + dataset) % 4]},{n % 9},{n % 50}.50"
        for n in range(ROWS)
    ]
    return "\n".join(["id,day,person,account_id,channel,score,amount", *lines, ""])


if __name__ == "__main__":
    write(Path(sys.argv[1]), Sizes(*(int(each) for each in sys.argv[2:])))

"""Laws that hold between answers whatever the data are, on the sample company and the real projects: all KPIs × all dimensions."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
import sqlglot
from sqlglot import exp

import kpi_engine
from kpi_engine.errors import RequestError
from kpi_engine.sample.project import write_project

STRETCHES = {
    "sample": ("2026-02", "2026-06-30"),
    "airline_mentions": ("2015-02-16..2015-02-22", "2015-12-31"),
    "blog_log": ("2015-05-18..2015-05-19", "2015-12-31"),
    "facebook_posts": (None, "2020-12-31"),
    "lead_funnel": ("2018-02..2018-03", "2019-12-31"),
    "media_weekly": ("2019-03", "2020-12-31"),
    "web_graph": (None, "2026-12-31"),
}
MANY = 200
"""Dimensions with more members than these are left out where each member costs."""


class Project:
    """An opened project, what it is asked for, and the answers by dimension, each computed once."""

    def __init__(self, name, engine):
        self.name, self.engine = name, engine
        self.period, self.as_of = STRETCHES[name]
        self.kpis = [kpi for kpi in engine.kpis() if not engine.project.kpis[kpi].split]
        self.dimensions = list(dict.fromkeys(each for kpi in self.kpis for each in engine.dimensions(kpi)))
        self.total = self.ask(self.kpis)[0]
        self.kpis = [kpi for kpi in self.kpis if kpi in self.total]
        self.known: dict[str, list[dict[str, object]]] = {}

    def run(self, kpis, **request):
        return self.engine.run(kpis, **{"period": self.period, "as_of": self.as_of, **request})

    def ask(self, kpis, **request):
        """Ask for KPIs; those that refuse, such as an amount in two currencies, are left out."""
        try:
            result = self.run(kpis, on_error="collect", **request)
        except RequestError as error:
            if error.code != "missing_dimension":
                raise
            return []
        return [{name: value for name, value in row.items() if name not in result.failures} for row in result.rows()]

    def of(self, dimension):
        """Name the KPIs that have a dimension."""
        return [kpi for kpi in self.kpis if dimension in self.engine.dimensions(kpi)]

    def by(self, dimension):
        """Give all KPIs by one dimension."""
        if dimension not in self.known:
            self.known[dimension] = self.ask(self.of(dimension), by=dimension)
        return self.known[dimension]

    def splits(self):
        """Go through the dimensions and their rows, with the KPIs that have a value in them."""
        for dimension in self.dimensions:
            if rows := self.by(dimension):
                yield dimension, rows, [kpi for kpi in self.of(dimension) if kpi in rows[0]]

    def additivity(self, kpi):
        return self.engine.measure(kpi).additivity


@pytest.fixture(scope="module", params=STRETCHES)
def project(request, tmp_path_factory):
    if request.param == "sample":
        folder = tmp_path_factory.mktemp("laws") / "sample"
        write_project(folder)
    else:
        folder = request.getfixturevalue("real_project")(request.param)
    with kpi_engine.open(folder) as engine:
        yield Project(request.param, engine)


def near(one, other):
    """Say whether two values are the same: whole numbers and decimals exactly, floats to 9 digits."""
    if one is None or other is None or not isinstance(one, float) or not isinstance(other, float):
        exact = one == other
        return (
            exact
            if not (isinstance(one, float) or isinstance(other, float)) or None in (one, other)
            else near(float(one), float(other))
        )
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def added(values):
    known = [Decimal(str(value)) if isinstance(value, float) else value for value in values if value is not None]
    return sum(known) if known else None


def makes(values, total):
    """Say whether values add up to a total; where all of them are unknown or nothing, so is that."""
    found = added(values)
    return (not found and not total) or near(float(found or 0), float(total or 0))


def test_groups_of_what_is_additive_make_the_total(project):
    walked = 0
    for dimension, rows, kpis in project.splits():
        for kpi in kpis:
            if project.additivity(kpi) != "non_additive" and kpi in project.total:
                walked += 1
                assert makes([row[kpi] for row in rows], project.total[kpi]), f"{kpi} by {dimension}"
    assert walked


def test_months_made_of_days_are_those_of_the_rows(project):
    kpis = [kpi for kpi in project.kpis if project.additivity(kpi) == "additive"]
    if not kpis or project.period is None:
        return
    days, weeks = (project.ask(kpis, grain=grain) for grain in ("day", "week"))
    for kpi in kpis:
        for rows in (days, weeks):
            if kpi in rows[0]:
                assert makes([row[kpi] for row in rows], project.total[kpi]), kpi


def test_totals_are_the_request_without_a_split(project):
    for dimension, _, kpis in project.splits():
        totals = project.run(kpis[:6], by=dimension).totals()
        for kpi, value in totals.items():
            assert near(value, project.total.get(kpi, value)), f"{kpi} by {dimension}"


def test_a_filter_by_a_member_is_its_row_of_the_split(project):
    walked = Counter()
    for dimension, rows, kpis in project.splits():
        row = rows[len(rows) // 2]
        found = project.ask(kpis, where={dimension: row[dimension]})[0]
        for kpi in kpis:
            if kpi in found:
                walked[kpi] += 1
                assert near(found[kpi], row[kpi]), f"{kpi} where {dimension} is {row[dimension]}"
    assert walked


def test_true_false_and_unknown_make_the_whole(project):
    for dimension, rows, kpis in list(project.splits())[::2]:
        texts = [row[dimension] for row in rows if isinstance(row[dimension], str)]
        additive = [kpi for kpi in kpis if project.additivity(kpi) == "additive"]
        if not texts or not additive or len(rows) > MANY:
            continue
        test = f"{dimension} >= '{texts[len(texts) // 2].replace(chr(39), chr(39) * 2)}'"
        parts = [project.ask(additive, where_sql=text) for text in (test, f"not ({test})", f"({test}) is null")]
        for kpi in additive:
            if all(part and kpi in part[0] for part in parts):
                assert makes([part[0][kpi] for part in parts], project.total[kpi]), f"{kpi} where {test}"


def test_adding_a_kpi_changes_no_other(project):
    dimension, rows, kpis = next(project.splits())
    for kpi in kpis:
        alone = {row[dimension]: row[kpi] for row in project.run(kpi, by=dimension).rows()}
        together = {row[dimension]: row[kpi] for row in rows}
        assert alone.keys() <= together.keys()
        for member, value in alone.items():
            assert near(together[member], value), f"{kpi} of {member}"
    for kpi in project.kpis[::3]:
        assert near(project.run(kpi).rows()[0][kpi], project.total[kpi]), kpi


def test_the_order_of_kpis_and_dimensions_only_orders_columns(project):
    for dimension, rows, kpis in project.splits():
        other = next(
            (
                d
                for d in reversed(project.dimensions)
                if d != dimension and any(d in project.engine.dimensions(k) for k in kpis)
            ),
            None,
        )
        some = [kpi for kpi in kpis if other in project.engine.dimensions(kpi)][:5]
        if other is None or not some or len(rows) > MANY:
            continue
        one = project.ask(some, by=[dimension, other])
        two = project.ask(some[::-1], by=[other, dimension])
        assert len(one) == len(two)
        if one:
            assert list(one[0])[:2] == list(two[0])[:2][::-1]
        found = {(row[dimension], row[other]): row for row in two}
        for row in one:
            same = found[row[dimension], row[other]]
            assert all(near(same[kpi], row[kpi]) for kpi in some if kpi in row), f"{dimension}, {other}"
        return


def test_order_and_limit_change_no_value(project):
    for dimension, _, kpis in list(project.splits())[:12]:
        some, kpi = kpis[:4], kpis[0]
        every = project.run(some, by=dimension).rows()
        known = {row[dimension]: row for row in every}
        largest = project.run(some, by=dimension, order=f"-{kpi}", limit=3).rows()
        assert len(largest) == min(3, len(every))
        for row in largest:
            assert all(near(row[name], known[row[dimension]][name]) for name in some), dimension
        values = sorted((row[kpi] for row in every if row[kpi] is not None), reverse=True)
        assert [row[kpi] for row in largest if row[kpi] is not None] == pytest.approx(values[:3]), dimension


EARLIER = {
    "2026-02": "2026-01",
    "2015-02-16..2015-02-22": "2015-02-09..2015-02-15",
    "2015-05-18..2015-05-19": "2015-05-16..2015-05-17",
    "2018-02..2018-03": "2017-12..2018-01",
    "2019-03": "2019-02",
}


def test_the_period_before_is_the_answer_of_that_period(project):
    if project.period is None:
        with pytest.raises(RequestError, match="nothing to compare with"):
            project.run(project.kpis[0], compare="previous_period")
        return
    now = project.ask(project.kpis, compare="previous_period")[0]
    before = project.ask(project.kpis, period=EARLIER[project.period])[0]
    for kpi in project.kpis:
        if kpi in before and f"{kpi}__previous_period" in now:
            assert near(now[f"{kpi}__previous_period"], before[kpi]), kpi


def parts_of(project, kpi):
    """Name the two KPIs that a KPI divides, where both are additive and are read as they are."""
    model = project.engine.project.kpis[kpi]
    tree = sqlglot.parse_one(model.formula, read="duckdb")
    plain = all(each.model_fields_set <= {"from_"} for each in model.inputs.values())
    if not (
        plain and isinstance(tree, exp.Div) and isinstance(tree.left, exp.Column) and isinstance(tree.right, exp.Column)
    ):
        return None
    names = [model.inputs[each.name].from_ for each in (tree.left, tree.right)]
    known = all(name in project.total and project.additivity(name) == "additive" for name in names)
    return names if known else None


def test_a_ratio_lies_between_those_of_its_slices(project):
    ratios = {kpi: parts for kpi in project.kpis if (parts := parts_of(project, kpi))}
    for dimension, rows, kpis in project.splits():
        for kpi in (each for each in kpis if each in ratios):
            above, below = ratios[kpi]
            if (
                not {above, below} <= rows[0].keys()
                or any((row[below] or 0) < 0 for row in rows)
                or any(row[above] and not row[below] for row in rows)
            ):
                continue
            slices = [row[kpi] for row in rows if row[kpi] is not None]
            if slices:
                assert min(slices) - 1e-9 <= project.total[kpi] <= max(slices) + 1e-9, f"{kpi} by {dimension}"
    assert ratios or project.name not in {"sample", "lead_funnel"}

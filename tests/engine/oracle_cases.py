"""Random cases for the oracle: one seed gives one model with its data, and as many questions as asked."""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from oracle_calendar import DAY, Almanac
from oracle_data import Tables
from oracle_kpis import Definitions
from oracle_model import Dataset, Model
from oracle_questions import Questions
from oracle_units import OwnUnit

if TYPE_CHECKING:
    from random import Random

    from oracle_model import Question

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")
PARAMETERS = {"least": ("integer", 3), "word": ("text", "good"), "factor": ("number", 0.5)}

WRITTEN = {
    "first": {"begins": "date", "called": "text"},
    "last": {"begins": "date", "ends": "date", "called": "text"},
    "day": {"day": "date", "called": "text"},
}
NAMES = ("{year}-P{n:02}", "Act {n}", "l'été {n}", "Winter, {n}", "{n} sales")


def own_units(random: Random) -> tuple[OwnUnit, ...]:
    """Make two units of time: seasons of uneven lengths, mostly with time between them, and terms of some seasons each."""
    pick = random.choice
    wide = random.random() < 0.5
    outside = "refused" if wide else "nothing"
    day, last = (datetime(2012, 1, 1), datetime(2032, 1, 1)) if wide else (datetime(2023, 5, 1), datetime(2025, 4, 1))
    day += random.randrange(40) * DAY
    form = pick(("first", "last", "last") if wide else ("first", "last", "day"))
    lengths = pick(((28, 28, 35), (7, 40, 90, 14), (1, 2, 20, 61), (30, 31)))
    gaps = (0,) if form == "first" else pick(((0,), (0, 0, 10), (3, 1, 45)))
    called, seasons = pick(NAMES), []
    while day < last:
        end = day + pick(lengths) * DAY
        seasons.append((day, end, called.format(year=day.year, n=len(seasons) + 1)))
        day = end + pick(gaps) * DAY
    terms, at = [], 0
    while at < len(seasons):
        some = seasons[at : at + pick((2, 3, 3, 4))]
        at += len(some)
        terms.append((some[0][0], some[-1][1], f"Term {len(terms) + 1}"))
    year = "term" if random.random() < 0.7 else ""
    season = OwnUnit("season", tuple(seasons), form, year, outside)
    return (season, OwnUnit("term", tuple(terms), "last", year, outside))


def made(random: Random, questions: int) -> tuple[Model, list[Question]]:
    """Make a model with its data, and questions to it."""
    pick = random.choice
    units = own_units(random)
    almanac = Almanac(pick(ZONES), pick((0, 0, 6)), pick((1, 4, 7, 10)), pick(("end", "end", "start")), units)
    datasets = Tables(random, large=random.random() < 0.01).datasets()
    datasets |= {each.of: Dataset(WRITTEN[each.form], each.rows()) for each in units}
    model = Model(datasets, Definitions(random, datasets).made(), almanac, PARAMETERS)
    maker = Questions(random, model)
    return model, [maker.made() for _ in range(questions)]

"""Random cases for the oracle: one seed gives one model with its data, and as many questions as asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_calendar import Almanac
from oracle_data import Tables
from oracle_kpis import Definitions
from oracle_model import Model
from oracle_questions import Questions

if TYPE_CHECKING:
    from random import Random

    from oracle_model import Question

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")
PARAMETERS = {"least": ("integer", 3), "word": ("text", "good"), "factor": ("number", 0.5)}


def made(random: Random, questions: int) -> tuple[Model, list[Question]]:
    """Make a model with its data, and questions to it."""
    pick = random.choice
    almanac = Almanac(pick(ZONES), pick((0, 0, 6)), pick((1, 4, 7, 10)), pick(("end", "end", "start")))
    datasets = Tables(random, large=random.random() < 0.01).datasets()
    model = Model(datasets, Definitions(random, datasets).made(), almanac, PARAMETERS)
    maker = Questions(random, model)
    return model, [maker.made() for _ in range(questions)]

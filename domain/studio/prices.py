"""What work in the studio costs, in credits: a table for each version, never changed once used.

A job is priced before it starts by the most that its steps may use; that much is reserved under
the version of the table, and what the steps really used is settled under the same version.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Unit(StrEnum):
    """What a step is counted by. A unit that was begun counts as a whole one."""

    RUN = "run"
    IMAGE = "image"
    SECOND = "second"
    CHARACTER = "character"
    TRAINING_STEP = "training_step"


class StepPrice(NamedTuple):
    """`credits` for every `each` units that were begun."""

    credits: int
    unit: Unit
    each: int = 1

    def of(self, units: int) -> int:
        return -(-units // self.each) * self.credits


class PriceTable(NamedTuple):
    """By type of step; `upscale` is the one treatment afterwards that a provider is paid for."""

    version: int
    steps: Mapping[str, StepPrice]


class PricedStep(NamedTuple):
    """`step` is a type of step, or `upscale`; `units` as its price counts them."""

    step: str
    units: int = 1


class Price(NamedTuple):
    credits: int
    table_version: int


PRICE_TABLES: Mapping[int, PriceTable] = {
    1: PriceTable(
        1,
        {
            "training": StepPrice(50, Unit.TRAINING_STEP, each=1000),
            "image_generation": StepPrice(2, Unit.IMAGE),
            "speech_synthesis": StepPrice(1, Unit.CHARACTER, each=500),
            "video_synthesis": StepPrice(4, Unit.SECOND),
            "motion_transfer": StepPrice(4, Unit.SECOND),
            "model_3d": StepPrice(8, Unit.RUN),
            "post_processing": StepPrice(0, Unit.RUN),
            "upscale": StepPrice(2, Unit.IMAGE),
        },
    )
}
"""Every version there ever was: what was reserved under one is settled under it."""

NEWEST_TABLE = max(PRICE_TABLES)


def price_of(steps: Iterable[PricedStep], *, table_version: int = NEWEST_TABLE) -> Price:
    """What these steps cost together. KeyError for a step or version without a price; ValueError
    for a step of less than one unit."""
    table = PRICE_TABLES[table_version]
    total = 0
    for step, units in steps:
        if units < 1:
            raise ValueError(f"{step} of {units} units")
        total += table.steps[step].of(units)
    return Price(total, table_version)


def settled_price(step: str, *, held: int, units: int, table_version: int) -> int:
    """What a step has cost that was priced by the most units it might take, now that they are
    known; what is counted otherwise costs what was held. Never more than that."""
    price = PRICE_TABLES[table_version].steps[step]
    if price.unit is not Unit.SECOND:
        return held
    return min(held, price.of(max(1, units)))

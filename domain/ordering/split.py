"""Who gets what of a line, to the cent, and why.

The base is the line net of discounts, without tax and shipping. Royalty and platform fee are
floored; production costs what it costs; the store has the remainder, so nothing is lost to
rounding. A remainder below zero is refused before anybody pays.
"""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.errors import RuleRefused
from domain.shared.money import BASIS_POINTS_PER_UNIT, format_money


class LegKind(StrEnum):
    ROYALTY = "royalty"
    PLATFORM_FEE = "platform_fee"
    PRODUCTION_COST = "production_cost"
    STORE_REVENUE = "store_revenue"


class Rule(StrEnum):
    """How a leg was computed."""

    RATE = "rate"
    UNIT_COST = "unit_cost"
    REMAINDER = "remainder"


class Reason(NamedTuple):
    """The rule with its numbers: enough to compute the leg again, and to say it in words.

    `rate` is basis points for RATE (with `fixed_cents` on top) and minor units a piece for
    UNIT_COST; `base` is minor units for RATE and REMAINDER, pieces for UNIT_COST.
    """

    rule: Rule
    rate: int
    base: int
    fixed_cents: int = 0


class Leg(NamedTuple):
    """One party's part of a line. `payee_id` is None for what the platform keeps or passes on."""

    kind: LegKind
    payee_id: UUID | None
    amount_cents: int
    reason: Reason


class FeeSchedule(NamedTuple):
    """What the platform takes of a sale; frozen into the legs under its version."""

    rate_bps: int
    fixed_cents: int = 0
    version: str = "1"


class Line(NamedTuple):
    """What the split needs to know of an order line."""

    total_cents: int
    quantity: int
    unit_cost_cents: int
    royalty_bps: int
    creator_id: UUID
    store_id: UUID


class MarginNegative(RuleRefused):
    """Royalty, fee and production cost leave the store less than nothing."""

    code = "margin_negative"


_REMAINDER, _RATE, _UNIT_COST = Rule.REMAINDER, Rule.RATE, Rule.UNIT_COST


def split(line: Line, fees: FeeSchedule) -> tuple[Leg, ...]:
    """The legs of a line; their sum is the line's total. Raises MarginNegative."""
    base = line.total_cents
    royalty = base * line.royalty_bps // BASIS_POINTS_PER_UNIT
    fee = base * fees.rate_bps // BASIS_POINTS_PER_UNIT + fees.fixed_cents
    cost = line.unit_cost_cents * line.quantity
    rest = base - royalty - fee - cost
    if rest < 0:
        raise MarginNegative(
            "Royalty, platform fee and production cost exceed the price.",
            price_cents=base,
            royalty_cents=royalty,
            platform_fee_cents=fee,
            production_cost_cents=cost,
        )
    return (
        Leg(LegKind.ROYALTY, line.creator_id, royalty, Reason(_RATE, line.royalty_bps, base)),
        Leg(LegKind.PLATFORM_FEE, None, fee, Reason(_RATE, fees.rate_bps, base, fees.fixed_cents)),
        Leg(
            LegKind.PRODUCTION_COST,
            None,
            cost,
            Reason(_UNIT_COST, line.unit_cost_cents, line.quantity),
        ),
        Leg(LegKind.STORE_REVENUE, line.store_id, rest, Reason(_REMAINDER, 0, base)),
    )


_WORDS = {
    LegKind.ROYALTY: "royalty",
    LegKind.PLATFORM_FEE: "platform fee",
    LegKind.PRODUCTION_COST: "production",
    LegKind.STORE_REVENUE: "store revenue",
}


def explain(kind: LegKind, reason: Reason, currency: str) -> str:
    """`10% royalty of $25.00`: a leg's reason in words, for statements."""
    word = _WORDS[kind]
    match reason.rule:
        case Rule.RATE:
            fixed = f" + {format_money(reason.fixed_cents, currency)}" if reason.fixed_cents else ""
            return f"{reason.rate / 100:g}% {word} of {format_money(reason.base, currency)}{fixed}"
        case Rule.UNIT_COST:
            return f"{word}, {reason.base} × {format_money(reason.rate, currency)}"
        case Rule.REMAINDER:
            return f"{word}: the rest of {format_money(reason.base, currency)}"

"""Who gets what of a line, to the cent, and why.

The base is what the buyer pays for the goods, without tax and shipping, plus what a discount of
the platform took off: such a discount comes out of the platform's fee and nobody else's part.
Royalty and platform fee are floored; production costs what it costs; shipping and tax are passed
on; the store has the remainder, so nothing is lost to rounding. A remainder below zero is refused
before anybody pays.
"""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.licensing.royalty import Royalty, RoyaltyBase, Step, royalty_cents, steps_of
from domain.ordering.fees import FeeRate
from domain.shared.allocation import largest_remainder
from domain.shared.errors import RuleRefused
from domain.shared.money import BASIS_POINTS_PER_UNIT, format_money


class LegKind(StrEnum):
    ROYALTY = "royalty"
    PLATFORM_FEE = "platform_fee"
    PRODUCTION_COST = "production_cost"
    SHIPPING = "shipping"
    TAX = "tax"
    STORE_REVENUE = "store_revenue"


class Rule(StrEnum):
    """How a leg was computed."""

    RATE = "rate"
    TIERS = "tiers"
    UNIT_COST = "unit_cost"
    QUOTED = "quoted"
    REMAINDER = "remainder"


class Reason(NamedTuple):
    """The rule with its numbers: enough to compute the leg again, and to say it in words.

    RATE: `rate` basis points of `base` minor units. TIERS: each of `steps` at its own rate, `base`
    is their sum; both floored once, with `fixed_cents` on top and `less_cents` taken off (what a
    discount of the platform, or a guarantee to be recouped, leaves out). `share_bps` below 10000
    is a collaborator's part of that. UNIT_COST: `base` pieces at `rate` minor units. QUOTED: what
    was quoted for shipping, or for tax on `base`. REMAINDER: what the other legs leave of `base`.
    """

    rule: Rule
    rate: int
    base: int
    fixed_cents: int = 0
    less_cents: int = 0
    share_bps: int = BASIS_POINTS_PER_UNIT
    steps: tuple[Step, ...] = ()


class Leg(NamedTuple):
    """One party's part of a line. `payee_id` is None for what the platform keeps or passes on."""

    kind: LegKind
    payee_id: UUID | None
    amount_cents: int
    reason: Reason


class Line(NamedTuple):
    """What the split needs to know of an order line; amounts are of the whole line.

    `net_cents` is what the buyer pays for the goods, after every discount, without shipping and
    tax. `platform_discount_cents` is what of the discounts the platform bears.
    """

    net_cents: int
    quantity: int
    unit_cost_cents: int
    royalty: Royalty
    creator_id: UUID
    store_id: UUID
    platform_discount_cents: int = 0
    shipping_cents: int = 0
    tax_cents: int = 0


class MarginNegative(RuleRefused):
    """Royalty, fee and production cost leave the store less than nothing."""

    code = "margin_negative"


_REMAINDER, _RATE, _UNIT_COST = Rule.REMAINDER, Rule.RATE, Rule.UNIT_COST


def split(line: Line, fee: FeeRate) -> tuple[Leg, ...]:
    """The legs of a line; their sum is net + shipping + tax, which is what the buyer pays for it.

    A discount of the platform must not exceed its fee (ValueError: pricing sees to that).
    Raises MarginNegative.
    """
    base = line.net_cents + line.platform_discount_cents
    full_fee = platform_fee_cents(base, fee)
    platform = full_fee - line.platform_discount_cents
    if platform < 0:
        raise ValueError("a discount of the platform exceeds the platform's fee")
    royalty_base = royalty_base_cents(line, fee)
    royalty = royalty_cents(line.royalty, royalty_base, quantity=line.quantity)
    recouped = min(royalty, line.royalty.recoup_cents)
    cost = line.unit_cost_cents * line.quantity
    rest = base - (royalty - recouped) - full_fee - cost
    if rest < 0:
        raise MarginNegative(
            "Royalty, platform fee and production cost exceed the price.",
            price_cents=base,
            royalty_cents=royalty - recouped,
            platform_fee_cents=full_fee,
            production_cost_cents=cost,
        )
    legs = (
        *_royalty_legs(line, royalty_base, royalty, recouped),
        Leg(
            LegKind.PLATFORM_FEE,
            None,
            platform,
            Reason(_RATE, fee.rate_bps, base, fee.fixed_cents, line.platform_discount_cents),
        ),
        Leg(
            LegKind.PRODUCTION_COST,
            None,
            cost,
            Reason(_UNIT_COST, line.unit_cost_cents, line.quantity),
        ),
        Leg(LegKind.STORE_REVENUE, line.store_id, rest, Reason(_REMAINDER, 0, base)),
    )
    return legs + _passed_on(line) if line.shipping_cents or line.tax_cents else legs


def platform_fee_cents(base_cents: int, fee: FeeRate) -> int:
    """The platform's fee of a base before any discount of its own: the most it can give away."""
    return base_cents * fee.rate_bps // BASIS_POINTS_PER_UNIT + fee.fixed_cents


def royalty_base_cents(line: Line, fee: FeeRate) -> int:
    """What the royalty of a line is taken of."""
    base = line.net_cents + line.platform_discount_cents
    match line.royalty.base:
        case RoyaltyBase.NET_OF_TAX:
            return base
        case RoyaltyBase.GROSS:
            return base + line.tax_cents
        case RoyaltyBase.NET_OF_FEES:
            return max(0, base - platform_fee_cents(base, fee))


def _royalty_legs(line: Line, base: int, royalty: int, recouped: int) -> tuple[Leg, ...]:
    rule = line.royalty
    flat = rule.flat_cents * line.quantity
    if rule.tiers:
        steps = steps_of(rule, base)
        reason = Reason(Rule.TIERS, 0, base, flat, recouped, steps=steps)
    else:
        reason = Reason(_RATE, rule.rate_bps, base, flat, recouped)
    if not rule.shares:
        return (Leg(LegKind.ROYALTY, line.creator_id, royalty - recouped, reason),)
    parts = largest_remainder(royalty - recouped, [share.bps for share in rule.shares])
    return tuple(
        Leg(LegKind.ROYALTY, share.payee_id, part, reason._replace(share_bps=share.bps))
        for share, part in zip(rule.shares, parts, strict=True)
    )


def _passed_on(line: Line) -> tuple[Leg, ...]:
    quoted = (
        (LegKind.SHIPPING, line.shipping_cents, line.shipping_cents),
        (LegKind.TAX, line.tax_cents, line.net_cents + line.shipping_cents),
    )
    return tuple(
        Leg(kind, None, cents, Reason(Rule.QUOTED, 0, base))
        for kind, cents, base in quoted
        if cents
    )


_WORDS = {
    LegKind.ROYALTY: "royalty",
    LegKind.PLATFORM_FEE: "platform fee",
    LegKind.PRODUCTION_COST: "production",
    LegKind.SHIPPING: "shipping",
    LegKind.TAX: "tax",
    LegKind.STORE_REVENUE: "store revenue",
}


def explain(kind: LegKind, reason: Reason, currency: str) -> str:
    """`10% royalty of $25.00`: a leg's reason in words, for statements."""
    word = _WORDS[kind]

    def money(cents: int) -> str:
        return format_money(cents, currency)

    match reason.rule:
        case Rule.RATE:
            said = f"{_percent(reason.rate)} {word} of {money(reason.base)}"
        case Rule.TIERS:
            steps = (f"{_percent(bps)} of {money(cents)}" for cents, bps in reason.steps)
            said = f"{word}: {' + '.join(steps)}"
        case Rule.UNIT_COST:
            return f"{word}, {reason.base} × {money(reason.rate)}"
        case Rule.QUOTED:
            return f"{word} as quoted" + (
                f" on {money(reason.base)}" if kind is LegKind.TAX else ""
            )
        case Rule.REMAINDER:
            return f"{word}: the rest of {money(reason.base)}"
    if reason.fixed_cents:
        said += f" + {money(reason.fixed_cents)}"
    if reason.less_cents:
        why = "recouped from the guarantee" if kind is LegKind.ROYALTY else "platform discount"
        said += f" − {money(reason.less_cents)} {why}"
    if reason.share_bps != BASIS_POINTS_PER_UNIT:
        said = f"{_percent(reason.share_bps)} share of {said}"
    return said


def _percent(bps: int) -> str:
    return f"{bps / 100:g}%"

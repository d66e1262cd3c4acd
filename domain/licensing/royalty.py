"""What a licence asks of a sale: rates, tiers, a flat amount, a guarantee, and who shares it."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.money import BASIS_POINTS_PER_UNIT


class RoyaltyBase(StrEnum):
    """What the rate is taken of, after every discount that the seller gives.

    `gross`: what the buyer pays for the goods, tax included. `net_of_tax`: without tax.
    `net_of_fees`: without tax and without the platform's fee.
    """

    GROSS = "gross"
    NET_OF_TAX = "net_of_tax"
    NET_OF_FEES = "net_of_fees"


class TierPeriod(StrEnum):
    """Over what sales are counted towards a tier."""

    LIFETIME = "lifetime"
    CALENDAR_YEAR = "calendar_year"
    PRODUCT = "product"


class Tier(NamedTuple):
    """From `from_cents` of counted sales on, `bps` of what lies above it (until the next tier)."""

    from_cents: int
    bps: int


class Share(NamedTuple):
    """A collaborator's part of a royalty; the shares of one royalty sum to 10000."""

    payee_id: UUID
    bps: int


class Royalty(NamedTuple):
    """The royalty rule of one line, with where the line stands in it.

    Sales below the first tier have `rate_bps`. `sold_before_cents` is what was counted towards
    the tiers before this line. `recoup_cents` is what of a guarantee, paid in advance, is left to
    be earned back: that much of the royalty stays with the seller. No `shares`: all of it is the
    creator's.
    """

    rate_bps: int
    base: RoyaltyBase = RoyaltyBase.NET_OF_TAX
    tiers: tuple[Tier, ...] = ()
    flat_cents: int = 0
    shares: tuple[Share, ...] = ()
    sold_before_cents: int = 0
    recoup_cents: int = 0


class Step(NamedTuple):
    """A part of the base and the rate that it has."""

    base_cents: int
    bps: int


def steps_of(royalty: Royalty, base_cents: int) -> tuple[Step, ...]:
    """The base cut at the tiers that it crosses; most sales lie within one."""
    if not royalty.tiers:
        return (Step(base_cents, royalty.rate_bps),)
    start, end = royalty.sold_before_cents, royalty.sold_before_cents + base_cents
    bounds = [Tier(0, royalty.rate_bps), *sorted(royalty.tiers)]
    steps = []
    for index, (lower, bps) in enumerate(bounds):
        upper = bounds[index + 1].from_cents if index + 1 < len(bounds) else end
        part = min(end, upper) - max(start, lower)
        if part > 0:
            steps.append(Step(part, bps))
    return tuple(steps) or (Step(base_cents, royalty.rate_bps),)


def royalty_cents(royalty: Royalty, base_cents: int, *, quantity: int) -> int:
    """Floored once over all steps, plus the flat amount for each piece; guarantee not deducted."""
    rated = sum(part * bps for part, bps in steps_of(royalty, base_cents))
    return rated // BASIS_POINTS_PER_UNIT + royalty.flat_cents * quantity

"""What the platform takes of a sale, by the kind of sale; every schedule has a version. And who
bears what the payment provider takes."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple
from uuid import UUID

from domain.licensing.terms import ProductType
from domain.shared.allocation import largest_remainder

FeesBorneBy = Literal["platform", "seller"]
"""Who gives what the payment provider keeps of a payment."""


class SaleKind(StrEnum):
    """What is sold, as far as the platform's fee cares."""

    MERCHANDISE = "merchandise"
    DIGITAL = "digital"
    PRINT = "print"
    BOOKING = "booking"
    SUBSCRIPTION = "subscription"
    TIP = "tip"


class FeeRate(NamedTuple):
    """A rate of the base, and a fixed amount in minor units for each line."""

    rate_bps: int
    fixed_cents: int = 0


DEFAULT_RATES: Mapping[SaleKind, FeeRate] = {
    SaleKind.MERCHANDISE: FeeRate(1000),
    SaleKind.DIGITAL: FeeRate(1000),
    SaleKind.PRINT: FeeRate(1000),
    SaleKind.BOOKING: FeeRate(500),
    SaleKind.SUBSCRIPTION: FeeRate(3000),
    SaleKind.TIP: FeeRate(0),
}


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """One rate for each kind of sale. Orders freeze the rate and name the version."""

    rates: Mapping[SaleKind, FeeRate]
    version: str

    def rate_of(self, kind: SaleKind) -> FeeRate:
        return self.rates[kind]


def fee_schedule(rates: Mapping[SaleKind, FeeRate]) -> FeeSchedule:
    """A complete schedule; kinds that are not named have their default. Equal rates, one version.

    The version is the start of the SHA-256 of the rates: a change of any of them is a new one.
    """
    complete = {kind: rates.get(kind, DEFAULT_RATES[kind]) for kind in SaleKind}
    text = ",".join(f"{kind}={rate.rate_bps}+{rate.fixed_cents}" for kind, rate in complete.items())
    return FeeSchedule(complete, hashlib.sha256(text.encode()).hexdigest()[:12])


_KIND_OF_PRODUCT = {
    ProductType.POSTCARD: SaleKind.MERCHANDISE,
    ProductType.SHIRT: SaleKind.MERCHANDISE,
    ProductType.FIGURINE: SaleKind.MERCHANDISE,
    ProductType.DIGITAL: SaleKind.DIGITAL,
    ProductType.PRINT: SaleKind.PRINT,
}


def sale_kind_of(product_type: ProductType) -> SaleKind:
    return _KIND_OF_PRODUCT[product_type]


def shares_of_fee(
    fee_cents: int, revenue: Iterable[tuple[UUID, int]]
) -> tuple[tuple[UUID, int], ...]:
    """Divide the provider's fee of an order over its stores by their revenue, ties by their id.

    No share of nothing: where no store has revenue, nobody bears it here.
    """
    sums: dict[UUID, int] = {}
    for store_id, cents in revenue:
        sums[store_id] = sums.get(store_id, 0) + cents
    stores = sorted(store_id for store_id, cents in sums.items() if cents > 0)
    if not stores:
        return ()
    shares = largest_remainder(fee_cents, [sums[store_id] for store_id in stores])
    return tuple((s, cents) for s, cents in zip(stores, shares, strict=True) if cents)

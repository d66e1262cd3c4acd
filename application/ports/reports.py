"""Figures of stores, creators and the platform, summed from what was posted on some days."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.reporting import Span


class Period(StrEnum):
    """Weeks begin on Monday. A period that the span cuts has the days within the span."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class RevenueBy(StrEnum):
    """`kind` is the kind of product; `creator` whose work the product carries."""

    CREATOR = "creator"
    STORE = "store"
    PERIOD = "period"
    KIND = "kind"


class PeriodSales(msgspec.Struct, frozen=True, kw_only=True):
    """A store's sales of one period; royalties are those of its lines, less what came back."""

    starts_on: date
    orders: int
    pieces: int
    gross_cents: int
    discounts_cents: int
    royalties_cents: int


class PeriodMovement(msgspec.Struct, frozen=True, kw_only=True):
    """What effects of one kind did to all that a payee has, in one period."""

    starts_on: date
    kind: str
    amount_cents: int


class ProductSales(msgspec.Struct, frozen=True, kw_only=True):
    product_id: UUID
    title: str
    orders: int
    pieces: int
    gross_cents: int
    discounts_cents: int
    revenue_cents: int


class RoyaltySource(msgspec.Struct, frozen=True, kw_only=True):
    """A store or a product that royalties come from. `returned_cents` is what refunds and disputes
    took back, `net_cents` the rest."""

    id: UUID
    name: str
    orders: int
    pieces: int
    earned_cents: int
    returned_cents: int
    net_cents: int


class RevenueRow(msgspec.Struct, frozen=True, kw_only=True):
    """Sales first; then what refunds and disputes took back, as positive amounts.

    `gross_cents` is before discounts, shipping and tax. `platform_fees_net_cents` is what stays.
    """

    key: str | None
    orders: int
    pieces: int
    gross_cents: int
    discounts_cents: int
    shipping_cents: int
    tax_cents: int
    royalties_cents: int
    platform_fees_cents: int
    refunds_cents: int
    disputes_cents: int
    platform_fees_net_cents: int


class ReportViews(Protocol):
    """Each question is one statement over a span of days that the caller bounds."""

    async def movements(
        self, payee_id: UUID, *, currency: str, span: Span, period: Period
    ) -> Sequence[PeriodMovement]:
        """Of sales, refunds, disputes, fees and guarantees; not what moves between states."""
        ...

    async def store_sales(
        self, store_id: UUID, *, currency: str, span: Span, period: Period
    ) -> Sequence[PeriodSales]: ...

    async def store_products(
        self, store_id: UUID, *, currency: str, span: Span, limit: int
    ) -> Sequence[ProductSales]:
        """Those that sold, the highest gross first."""
        ...

    async def royalties_by_store(
        self, creator_id: UUID, *, currency: str, span: Span, limit: int
    ) -> Sequence[RoyaltySource]:
        """The highest net first."""
        ...

    async def royalties_by_product(
        self, creator_id: UUID, *, currency: str, span: Span, limit: int
    ) -> Sequence[RoyaltySource]: ...

    async def revenue(
        self, by: RevenueBy, *, currency: str, span: Span, period: Period, limit: int
    ) -> Sequence[RevenueRow]:
        """The total first, without a key; then periods in their order, others by highest fees."""
        ...

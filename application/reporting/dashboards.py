"""Figures of a store and of a creator, by period.

What was earned and given back is what was posted on the days asked for, so figures of closed days
never change; what is refunded later is told where it was posted. Counts are of paid orders.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, store_for
from application.ports.clock import Clock
from application.ports.reporting import StatementViews
from application.ports.reports import (
    Period,
    PeriodMovement,
    PeriodSales,
    ProductSales,
    ReportViews,
    RoyaltySource,
)
from application.ports.unit_of_work import UnitOfWork
from application.reporting.spans import periods_of, report_span
from domain.identity.actor import Actor
from domain.identity.team import RankTooLow
from domain.shared.errors import NotFound

TOP_PRODUCTS = 10
SOURCES_MAX = 50


class ReportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is the first day, `until` the first that is not included (UTC); at most 366 days."""

    since: date | None = None
    until: date | None = None
    period: Period = Period.DAY
    currency: str | None = None


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """`gross_cents` is before discounts, shipping and tax."""

    orders: int
    pieces: int
    gross_cents: int
    discounts_cents: int


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """What the payee earned of sales, and what of it went back; `net_cents` is their sum.

    Refunds, lost disputes and fees are below zero; a guarantee is where it is paid, above where it
    is received.
    """

    sales_cents: int
    refunds_cents: int
    disputes_cents: int
    fees_cents: int
    guarantees_cents: int
    write_offs_cents: int
    net_cents: int


class StoreMoney(msgspec.Struct, frozen=True, kw_only=True):
    """`royalties_cents` were paid to others of the store's sales, less what came back of them."""

    revenue: Earned
    royalties_cents: int


class StorePeriod(msgspec.Struct, frozen=True, kw_only=True):
    starts_on: date
    sales: Sales
    money: StoreMoney | None


class TopProduct(msgspec.Struct, frozen=True, kw_only=True):
    """`revenue_cents` is the store's part, less what went back of it in these days."""

    product_id: UUID
    title: str
    orders: int
    pieces: int
    gross_cents: int
    discounts_cents: int
    revenue_cents: int | None


class StoreDashboard(msgspec.Struct, frozen=True, kw_only=True):
    """`money`, and the revenue of products, are null for those who may not see the store's money.

    `periods` has every period of the span, also those without sales."""

    store_id: UUID
    currency: str
    since: date
    until: date
    period: Period
    sales: Sales
    money: StoreMoney | None
    periods: list[StorePeriod]
    top_products: list[TopProduct]


class CreatorPeriod(msgspec.Struct, frozen=True, kw_only=True):
    starts_on: date
    royalties: Earned


class CreatorAnalytics(msgspec.Struct, frozen=True, kw_only=True):
    """`stores` and `products` are at most 50 each, the highest royalties first."""

    creator_id: UUID
    currency: str
    since: date
    until: date
    period: Period
    royalties: Earned
    periods: list[CreatorPeriod]
    stores: list[RoyaltySource]
    products: list[RoyaltySource]


async def store_dashboard(
    store_id: UUID,
    query: ReportQuery,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: ReportViews,
    statements: StatementViews,
    clock: Clock,
) -> StoreDashboard:
    """Who may see the store sees what it sold; who may see its money, also what it earned.
    Raises NotFound, PeriodInvalid."""
    async with uow:
        store = await store_for(store_id, StoreAct.VIEW, actor=actor, uow=uow)
        sees_money = await _sees_money(store_id, actor=actor, uow=uow)
    span = report_span(query.since, query.until, now=clock.now())
    currency = query.currency or await statements.currency_of(store.id) or "usd"
    sold = await views.store_sales(store.id, currency=currency, span=span, period=query.period)
    top = await views.store_products(store.id, currency=currency, span=span, limit=TOP_PRODUCTS)
    moved: Sequence[PeriodMovement] = []
    if sees_money:
        moved = await views.movements(store.id, currency=currency, span=span, period=query.period)

    def money(sales: Sequence[PeriodSales], moved: Iterable[PeriodMovement]) -> StoreMoney | None:
        if not sees_money:
            return None
        royalties = sum(each.royalties_cents for each in sales)
        return StoreMoney(revenue=_earned(moved), royalties_cents=royalties)

    def of(day: date) -> StorePeriod:
        sales = [each for each in sold if each.starts_on == day]
        parts = [each for each in moved if each.starts_on == day]
        return StorePeriod(starts_on=day, sales=_sales(sales), money=money(sales, parts))

    return StoreDashboard(
        store_id=store.id,
        currency=currency,
        since=span.since,
        until=span.until,
        period=query.period,
        sales=_sales(sold),
        money=money(sold, moved),
        periods=[of(day) for day in periods_of(span, query.period)],
        top_products=[_top(product, sees_money=sees_money) for product in top],
    )


async def creator_analytics(
    query: ReportQuery,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: ReportViews,
    statements: StatementViews,
    clock: Clock,
) -> CreatorAnalytics:
    """The actor's own royalties. Raises NotFound when the actor is no creator, PeriodInvalid."""
    async with uow:
        creator = await uow.creators.of_user(actor.user_id)
    if creator is None:
        raise NotFound("creator")
    span = report_span(query.since, query.until, now=clock.now())
    currency = query.currency or await statements.currency_of(creator.id) or "usd"
    moved = await views.movements(creator.id, currency=currency, span=span, period=query.period)
    return CreatorAnalytics(
        creator_id=creator.id,
        currency=currency,
        since=span.since,
        until=span.until,
        period=query.period,
        royalties=_earned(moved),
        periods=[
            CreatorPeriod(
                starts_on=day, royalties=_earned(each for each in moved if each.starts_on == day)
            )
            for day in periods_of(span, query.period)
        ],
        stores=list(
            await views.royalties_by_store(
                creator.id, currency=currency, span=span, limit=SOURCES_MAX
            )
        ),
        products=list(
            await views.royalties_by_product(
                creator.id, currency=currency, span=span, limit=SOURCES_MAX
            )
        ),
    )


async def _sees_money(store_id: UUID, *, actor: Actor, uow: UnitOfWork) -> bool:
    try:
        await store_for(store_id, StoreAct.MONEY, actor=actor, uow=uow)
    except RankTooLow:
        return False
    return True


def _sales(sold: Sequence[PeriodSales]) -> Sales:
    """An order is sold once, so periods' counts add up."""
    return Sales(
        orders=sum(each.orders for each in sold),
        pieces=sum(each.pieces for each in sold),
        gross_cents=sum(each.gross_cents for each in sold),
        discounts_cents=sum(each.discounts_cents for each in sold),
    )


_GROUPS = {
    "sale": "sales_cents",
    "refund": "refunds_cents",
    "dispute_opened": "disputes_cents",
    "dispute_won": "disputes_cents",
    "dispute_lost": "disputes_cents",
    "processing_fee": "fees_cents",
    "guarantee": "guarantees_cents",
    "write_off": "write_offs_cents",
}


def _earned(moved: Iterable[PeriodMovement]) -> Earned:
    sums = dict.fromkeys(_GROUPS.values(), 0)
    for each in moved:
        sums[_GROUPS[each.kind]] += each.amount_cents
    return Earned(**sums, net_cents=sum(sums.values()))


def _top(product: ProductSales, *, sees_money: bool) -> TopProduct:
    told = msgspec.structs.asdict(product)
    return TopProduct(**(told if sees_money else told | {"revenue_cents": None}))

"""Figures are what was posted: cent for cent, on its day, in its currency."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from adapters.postgres.reports import PostgresReportViews
from application.ports.reporting import Span
from application.ports.reports import Period, RevenueBy, RevenueRow
from application.reporting.spans import PeriodInvalid, periods_of, report_span
from domain.shared.money import Currency
from tests import builders
from tests.application.ordering.conftest import Desk
from tests.builders import NOON, Market

TODAY = NOON.date()
DAY = timedelta(days=1)
ALL = Span(TODAY - DAY, TODAY + 60 * DAY)


async def moved(desk: Desk, payee_id: UUID, *, span: Span = ALL) -> dict[str, int]:
    rows = await PostgresReportViews(desk.engine).movements(
        payee_id, currency="usd", span=span, period=Period.MONTH
    )
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.kind] = sums.get(row.kind, 0) + row.amount_cents
    return sums


async def total(desk: Desk, *, span: Span = ALL, currency: str = "usd") -> RevenueRow:
    views = PostgresReportViews(desk.engine)
    rows = await views.revenue(
        RevenueBy.STORE, currency=currency, span=span, period=Period.DAY, limit=10
    )
    return rows[0]


async def traded(desk: Desk) -> tuple[Market, UUID]:
    """Three lines; a refund by amount, one of a piece, and a lost dispute of a part; and a second
    order of one line that nothing went back of."""
    shop = await desk.market(prices_cents=(2500, 1999, 3333))
    order_id = await desk.buy(*shop.products, quantity=2)
    await desk.refund(order_id, 777)
    rows = await desk.rows("SELECT id FROM order_lines ORDER BY position")
    await desk.refund(order_id, pieces={UUID(str(rows[1][0])): 1})
    await desk.decide(await desk.dispute(order_id, 4321), "lost")
    await desk.buy(shop.products[0], key="k2")
    await desk.check_books()
    return shop, order_id


async def test_shares_of_what_went_back_add_up_to_what_was_posted(desk: Desk) -> None:
    shop, _ = await traded(desk)
    views = PostgresReportViews(desk.engine)

    of_creator = await moved(desk, shop.creator.id)
    products = await views.royalties_by_product(shop.creator.id, currency="usd", span=ALL, limit=10)
    stores = await views.royalties_by_store(shop.creator.id, currency="usd", span=ALL, limit=10)

    assert set(of_creator) == {"sale", "refund", "dispute_lost"}
    posted = sum(of_creator.values())
    assert posted == (await desk.balance(shop.creator.id))["lifetime"]
    assert len(products) == 3
    assert sum(product.net_cents for product in products) == posted
    assert sum(product.earned_cents for product in products) == of_creator["sale"]
    assert all(p.net_cents == p.earned_cents - p.returned_cents for p in products)
    (store,) = stores
    assert (store.id, store.name, store.net_cents) == (shop.store.id, shop.store.name, posted)
    assert (store.orders, store.pieces) == (2, 7)


async def test_a_store_reads_what_it_sold_earned_and_paid(desk: Desk) -> None:
    shop, _ = await traded(desk)
    views = PostgresReportViews(desk.engine)

    (sold,) = await views.store_sales(shop.store.id, currency="usd", span=ALL, period=Period.MONTH)
    top = await views.store_products(shop.store.id, currency="usd", span=ALL, limit=2)
    earned = await moved(desk, shop.store.id)

    assert (sold.orders, sold.pieces) == (2, 7)
    assert (sold.gross_cents, sold.discounts_cents) == (2 * (2500 + 1999 + 3333) + 2500, 0)
    assert sold.royalties_cents == (await desk.balance(shop.creator.id))["lifetime"]
    assert [product.title for product in top] == ["Product 0", "Product 2"]
    assert [product.gross_cents for product in top] == [7500, 6666]
    everything = await views.store_products(shop.store.id, currency="usd", span=ALL, limit=10)
    parts = sum(earned.get(kind, 0) for kind in ("sale", "refund", "dispute_lost"))
    assert sum(product.revenue_cents for product in everything) == parts
    assert parts == (await desk.balance(shop.store.id))["lifetime"]


async def test_the_piece_that_came_back_counts_against_its_own_product(desk: Desk) -> None:
    shop = await desk.market(prices_cents=(2500, 2500))
    order_id = await desk.buy(*shop.products)
    rows = await desk.rows("SELECT id, product_id FROM order_lines ORDER BY position")
    await desk.refund(order_id, pieces={UUID(str(rows[0][0])): 1})

    products = await PostgresReportViews(desk.engine).royalties_by_product(
        shop.creator.id, currency="usd", span=ALL, limit=10
    )

    by_product = {product.id: product.net_cents for product in products}
    assert by_product == {rows[0][1]: 0, rows[1][1]: 250}


async def test_platform_fees_are_those_of_the_books(desk: Desk) -> None:
    await traded(desk)
    views = PostgresReportViews(desk.engine)
    books = await desk.trial_balance()

    for by in RevenueBy:
        whole, *rows = await views.revenue(
            by, currency="usd", span=ALL, period=Period.DAY, limit=10
        )
        assert whole.key is None
        assert whole.platform_fees_net_cents == books["platform_revenue"]
        assert (whole.orders, whole.gross_cents) == (2, 18164)
        assert (whole.refunds_cents, whole.disputes_cents) == (777 + 1999, 4321)
        for name in ("platform_fees_net_cents", "gross_cents", "refunds_cents", "disputes_cents"):
            assert sum(getattr(row, name) for row in rows) == getattr(whole, name)


async def test_a_won_dispute_takes_nothing(desk: Desk) -> None:
    shop = await desk.market()
    await desk.decide(await desk.dispute(await desk.buy(*shop.products)), "won")
    assert await moved(desk, shop.creator.id) == {"sale": 250}
    assert (await total(desk)).disputes_cents == 0


async def test_days_keep_their_figures_whatever_comes_later(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    first = Span(TODAY, TODAY + DAY)
    before = await moved(desk, shop.store.id, span=first), await total(desk, span=first)

    desk.clock.advance(3 * DAY)
    await desk.refund(order_id)

    after = await moved(desk, shop.store.id, span=first), await total(desk, span=first)
    assert before == after
    later = Span(TODAY + 3 * DAY, TODAY + 4 * DAY)
    assert await moved(desk, shop.store.id, span=later) == {"refund": -before[0]["sale"]}
    assert (await total(desk, span=later)).refunds_cents == 2500
    assert (await total(desk, span=later)).orders == 0


async def test_currencies_are_never_added(desk: Desk) -> None:
    shop = await desk.market()
    async with (uow := desk.new_uow()):
        asset = builders.generated_asset(shop.owner.id)
        uow.assets.add(asset)
        await uow.commit()
    async with (uow := desk.new_uow()):
        euro = builders.product_of(
            shop.store, shop.terms, asset, price_cents=3000, currency=Currency("eur")
        )
        uow.products.add(euro)
        await uow.commit()
    await desk.buy(*shop.products)
    await desk.buy(euro, key="e")

    assert (await total(desk)).gross_cents == 2500
    assert (await total(desk, currency="eur")).gross_cents == 3000
    assert sum((await moved(desk, shop.creator.id)).values()) == 250


def test_periods_cover_the_span_and_nothing_else() -> None:
    span = Span(date(2026, 1, 29), date(2026, 3, 2))
    assert periods_of(span, Period.MONTH) == [span.since, date(2026, 2, 1), date(2026, 3, 1)]
    assert periods_of(span, Period.WEEK)[:2] == [span.since, date(2026, 2, 2)]
    assert len(periods_of(span, Period.DAY)) == 32
    edge = Span(date(9999, 12, 30), date.max)
    assert [len(periods_of(edge, period)) for period in Period] == [1, 1, 1]


def test_a_report_is_of_bounded_days() -> None:
    span = report_span(None, None, now=NOON)
    assert (span.until, (span.until - span.since).days) == (TODAY + DAY, 30)
    assert report_span(None, date(1, 1, 3), now=NOON).since == date.min
    with pytest.raises(PeriodInvalid):
        report_span(TODAY, TODAY + 367 * DAY, now=NOON)
    with pytest.raises(PeriodInvalid):
        report_span(None, date.min, now=NOON)

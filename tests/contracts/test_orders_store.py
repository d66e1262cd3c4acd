"""What every store of orders and refunds promises; concurrency is PostgreSQL's to show."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists
from domain.catalogue.product import Product, ProductStatus
from domain.ledger.posting import Account
from domain.ordering.address import Address
from domain.ordering.order import DeliveryHold, Order, OrderLine, PaymentStatus
from domain.ordering.refund import LineRefund, Refund, RefundStatus
from domain.ordering.settlement import Capture, SettlementPlan, settle
from domain.shared.errors import NotFound
from tests.builders import NOON, USD, Market, market, order_of
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

NOBODY = UUID(int=404)
HOLD = timedelta(days=7)


async def placed(new_uow: NewUnitOfWork, *orders: Order) -> None:
    async with new_uow() as uow:
        for order in orders:
            uow.orders.add(order)
        await uow.commit()


async def place_limited(new_uow: NewUnitOfWork, shop: Market, *, quantity: int) -> Order:
    """Place an order as checkout does: with its pieces set aside."""
    order = order_of(shop.products, quantity=quantity)
    async with new_uow() as uow:
        await uow.products.reserve({product.id: quantity for product in shop.products})
        for line in order.lines:
            line.stock_reserved = True
        uow.orders.add(order)
        await uow.commit()
    return order


async def stored_order(new_uow: NewUnitOfWork, order_id: UUID) -> Order:
    async with new_uow() as uow:
        return await uow.orders.get(order_id)


async def stored_product(new_uow: NewUnitOfWork, product: Product) -> Product:
    async with new_uow() as uow:
        return await uow.products.get(product.id)


async def pay(new_uow: NewUnitOfWork, *orders: Order) -> None:
    """Settle the orders in one batch; each by the charge `ch_` and its id."""
    async with new_uow() as uow:
        settlements = []
        for plan in await uow.orders.settlement_plans([order.id for order in orders]):
            charge_id = f"ch_{plan.order_id}"
            capture = Capture(
                plan.order_id, f"pi_{plan.order_id}", charge_id, plan.total_cents, USD
            )
            settlement = settle(plan, capture, hold=HOLD, at=NOON)
            assert settlement is not None
            settlements.append(settlement)
        await uow.orders.settle(settlements)
        await uow.commit()


def whole(order: Order) -> dict[str, object]:
    lines = [fields_of(line) for line in order.lines]
    return {**fields_of(order), "lines": lines}


async def test_an_order_is_read_as_it_was_placed(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), prices_cents=(2500, 3000, 3500))
    order = order_of(shop.products, quantity=2)
    await placed(new_uow, order)

    assert whole(await stored_order(new_uow, order.id)) == whole(order)
    async with new_uow() as uow:
        with pytest.raises(NotFound):
            await uow.orders.get(NOBODY)
        with pytest.raises(NotFound):
            await uow.orders.get(NOBODY, lock=True)


async def test_an_address_is_kept_and_those_that_wait_for_one_are_known(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow())
    waits, told, digital = [order_of(shop.products) for _ in range(3)]
    waits.ship_countries = told.ship_countries = ("AT", "DE")
    await placed(new_uow, waits, told, digital)
    home = Address(country="FR", name="Ada", line1="Rue 1")
    async with new_uow() as uow:
        assert (await uow.orders.get(told.id, lock=True)).deliver_to(home)
        await uow.commit()

    stored = await stored_order(new_uow, told.id)
    assert (stored.ship_to, stored.delivery_hold) == (home, DeliveryHold.TERRITORY_REFUSED)
    async with new_uow() as uow:
        known = await uow.orders.awaiting_address({waits.id, told.id, digital.id, NOBODY})
    assert known == [waits.id]


async def test_a_change_of_a_line_is_kept_with_its_order(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = order_of(shop.products)
    await placed(new_uow, order)
    async with new_uow() as uow:
        found = await uow.orders.get(order.id, lock=True)
        found.session_id, found.checkout_url = "cs_1", "https://pay.example/1"
        found.lines[0].refunded_cents = 100
        await uow.commit()

    stored = await stored_order(new_uow, order.id)
    assert (stored.session_id, stored.checkout_url) == ("cs_1", "https://pay.example/1")
    assert stored.lines[0].refunded_cents == 100


async def test_an_order_is_found_by_the_buyers_own_key(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = order_of(shop.products)
    await placed(new_uow, order)

    async with new_uow() as uow:
        found = await uow.orders.by_request_key(order.buyer_id, order.request_key)
        assert found is not None
        assert whole(found) == whole(order)
        assert await uow.orders.by_request_key(NOBODY, order.request_key) is None
        assert await uow.orders.by_request_key(order.buyer_id, "another") is None


async def test_a_buyers_key_places_one_order(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    first, again, of_another = (order_of(shop.products) for _ in range(3))
    again.buyer_id = first.buyer_id
    again.request_key = of_another.request_key = first.request_key
    await placed(new_uow, first)
    await placed(new_uow, of_another)

    with pytest.raises(AlreadyExists):
        await placed(new_uow, again)


async def test_a_payment_page_belongs_to_one_order(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    first, second = order_of(shop.products), order_of(shop.products)
    first.session_id = "cs_1"
    await placed(new_uow, first, second)

    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            (await uow.orders.get(second.id, lock=True)).session_id = "cs_1"
            await uow.commit()


# Settling.


async def test_a_plan_sums_the_legs_of_all_lines(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), prices_cents=(2500, 3000))
    order = order_of(shop.products)
    await placed(new_uow, order)

    async with new_uow() as uow:
        (plan,) = await uow.orders.settlement_plans([order.id, NOBODY])

    assert plan._replace(parts=()) == SettlementPlan(
        order.id, order.buyer_id, USD, 5500, PaymentStatus.UNPAID, None, ()
    )
    assert set(plan.parts) == {
        (Account.PAYABLE_PENDING, shop.creator.id, 550),
        (Account.PAYABLE_PENDING, shop.store.id, 5500 - 550 - 550 - 1900),
        (Account.PLATFORM_REVENUE, None, 550),
        (Account.PRODUCTION_COST_PAYABLE, None, 1900),
    }


async def test_plans_come_in_order_of_ids(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    orders = [order_of(shop.products) for _ in range(5)]
    await placed(new_uow, *orders)

    async with new_uow() as uow:
        plans = await uow.orders.settlement_plans({order.id for order in orders})

    assert [plan.order_id for plan in plans] == sorted(order.id for order in orders)


async def test_a_settled_order_is_paid_and_known_by_its_charge(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    first, second, unpaid = (order_of(shop.products) for _ in range(3))
    await placed(new_uow, first, second, unpaid)

    await pay(new_uow, first, second)

    stored = await stored_order(new_uow, first.id)
    assert stored.payment_status is PaymentStatus.PAID
    assert (stored.payment_id, stored.charge_id) == (f"pi_{first.id}", f"ch_{first.id}")
    assert stored.paid_at == NOON
    async with new_uow() as uow:
        assert await uow.orders.by_charge(f"ch_{second.id}") == second.id
        assert await uow.orders.by_charge("ch_unknown") is None
        assert await uow.orders.charges([first.id, second.id, unpaid.id, NOBODY]) == {
            first.id: f"ch_{first.id}",
            second.id: f"ch_{second.id}",
        }
        assert await uow.orders.charges([]) == {}
        (plan,) = await uow.orders.settlement_plans([first.id])
        assert (plan.payment_status, plan.charge_id) == (PaymentStatus.PAID, f"ch_{first.id}")


async def test_settling_gives_the_buyer_the_clean_originals(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), prices_cents=(2500, 3000))
    one, both = order_of(shop.products[:1]), order_of(shop.products)
    both.buyer_id = one.buyer_id
    await placed(new_uow, one, both)

    await pay(new_uow, one)
    await pay(new_uow, both)

    async with new_uow() as uow:
        for product in shop.products:
            assert await uow.assets.grantees(product.asset_id) == {one.buyer_id}


async def test_settling_turns_reserved_pieces_into_sold_ones(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), stock=3)
    (limited,) = shop.products
    two = await place_limited(new_uow, shop, quantity=2)
    one = await place_limited(new_uow, shop, quantity=1)

    await pay(new_uow, two)
    stored = await stored_product(new_uow, limited)
    assert (stored.stock, stored.reserved, stored.status) == (1, 1, ProductStatus.ACTIVE)

    await pay(new_uow, one)
    stored = await stored_product(new_uow, limited)
    assert (stored.stock, stored.reserved, stored.status) == (0, 0, ProductStatus.OUT_OF_STOCK)


async def test_a_product_that_is_off_sale_stays_off_sale_when_it_sells_out(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow(), stock=1)
    order = await place_limited(new_uow, shop, quantity=1)
    async with new_uow() as uow:
        (await uow.products.get(shop.products[0].id)).status = ProductStatus.INACTIVE
        await uow.commit()

    await pay(new_uow, order)

    stored = await stored_product(new_uow, shop.products[0])
    assert (stored.stock, stored.status) == (0, ProductStatus.INACTIVE)


async def test_a_settlement_that_is_not_committed_did_not_happen(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow(), stock=1)
    order = await place_limited(new_uow, shop, quantity=1)
    async with new_uow() as uow:
        (plan,) = await uow.orders.settlement_plans([order.id])
        capture = Capture(order.id, "pi", "ch", order.total_cents, USD)
        settlement = settle(plan, capture, hold=HOLD, at=NOON)
        assert settlement is not None
        await uow.orders.settle([settlement])

    stored = await stored_order(new_uow, order.id)
    assert stored.payment_status is PaymentStatus.UNPAID
    assert (await stored_product(new_uow, shop.products[0])).reserved == 1
    async with new_uow() as uow:
        assert await uow.earnings.of_order(order.id) == []
        assert await uow.assets.grantees(order.lines[0].asset_id) == set()


# Ending without payment.


async def close(
    new_uow: NewUnitOfWork, order_id: UUID, *, status: PaymentStatus = PaymentStatus.EXPIRED
) -> bool:
    async with new_uow() as uow:
        closed = await uow.orders.close_unpaid(order_id, status=status)
        await uow.commit()
    return closed


@pytest.mark.parametrize("before", [PaymentStatus.UNPAID, PaymentStatus.PROCESSING])
@pytest.mark.parametrize("after", [PaymentStatus.EXPIRED, PaymentStatus.FAILED])
async def test_closing_an_unpaid_order_frees_its_stock_once(
    new_uow: NewUnitOfWork, before: PaymentStatus, after: PaymentStatus
) -> None:
    shop = await market(new_uow(), stock=3)
    order = await place_limited(new_uow, shop, quantity=2)
    async with new_uow() as uow:
        (await uow.orders.get(order.id, lock=True)).payment_status = before
        await uow.commit()

    assert await close(new_uow, order.id, status=after) is True
    assert await close(new_uow, order.id) is False

    stored = await stored_order(new_uow, order.id)
    assert stored.payment_status is after
    assert [line.stock_reserved for line in stored.lines] == [False]
    product = await stored_product(new_uow, shop.products[0])
    assert (product.stock, product.reserved) == (3, 0)


async def test_a_paid_or_unknown_order_is_not_closed(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    order = order_of(shop.products)
    await placed(new_uow, order)
    await pay(new_uow, order)

    assert await close(new_uow, order.id) is False
    assert await close(new_uow, NOBODY) is False
    assert (await stored_order(new_uow, order.id)).payment_status is PaymentStatus.PAID


async def test_an_order_that_is_paid_after_its_end_takes_no_freed_stock(
    new_uow: NewUnitOfWork,
) -> None:
    shop = await market(new_uow(), stock=3)
    order = await place_limited(new_uow, shop, quantity=2)
    await close(new_uow, order.id)

    await pay(new_uow, order)

    product = await stored_product(new_uow, shop.products[0])
    assert (product.stock, product.reserved) == (3, 0)


# Asking the provider.


async def claim(
    new_uow: NewUnitOfWork, *, minutes: int, limit: int = 10, again: int = 30
) -> Sequence[UUID]:
    async with new_uow() as uow:
        now = NOON + timedelta(minutes=minutes)
        claimed = await uow.orders.claim_reconcilable(
            now=now, again_at=now + timedelta(minutes=again), limit=limit
        )
        await uow.commit()
    return claimed


async def test_unpaid_orders_are_asked_about_and_put_off(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    unpaid, processing, paid, closed = (order_of(shop.products) for _ in range(4))
    processing.payment_status = PaymentStatus.PROCESSING
    await placed(new_uow, unpaid, processing, paid, closed)
    await pay(new_uow, paid)
    await close(new_uow, closed.id)

    assert await claim(new_uow, minutes=1) == []
    assert set(await claim(new_uow, minutes=2)) == {unpaid.id, processing.id}
    assert await claim(new_uow, minutes=31) == []
    assert set(await claim(new_uow, minutes=32)) == {unpaid.id, processing.id}


async def test_who_has_waited_longest_is_asked_about_first(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    orders = [order_of(shop.products, at=NOON + timedelta(seconds=n)) for n in (2, 0, 1)]
    await placed(new_uow, *orders)

    assert set(await claim(new_uow, minutes=5, limit=2)) == {orders[1].id, orders[2].id}
    assert await claim(new_uow, minutes=5, limit=2) == [orders[0].id]


async def test_the_unended_of_some_orders_are_known(new_uow: NewUnitOfWork) -> None:
    shop = await market(new_uow())
    unpaid, paid, closed, other = (order_of(shop.products) for _ in range(4))
    await placed(new_uow, unpaid, paid, closed, other)
    await pay(new_uow, paid)
    await close(new_uow, closed.id)

    async with new_uow() as uow:
        found = await uow.orders.unended([unpaid.id, paid.id, closed.id, NOBODY])
        assert found == [unpaid.id]
        assert await uow.orders.unended([]) == []


# Refunds.


def refund_of(order: Order, line: OrderLine, **changes: object) -> Refund:
    values = {
        "id": uuid4(),
        "order_id": order.id,
        "request_key": "refund",
        "amount_cents": 300,
        "currency": USD,
        "reason": "too small",
        "lines": (LineRefund(line.id, 200, 1), LineRefund(line.id, 100)),
        "requested_by": order.buyer_id,
        "created_at": NOON,
    }
    return Refund(**{**values, **changes})  # type: ignore[arg-type]


async def an_order(new_uow: NewUnitOfWork) -> Order:
    shop = await market(new_uow())
    order = order_of(shop.products)
    await placed(new_uow, order)
    return order


async def test_a_refund_is_found_by_id_by_key_and_by_the_providers_id(
    new_uow: NewUnitOfWork,
) -> None:
    order = await an_order(new_uow)
    refund = refund_of(order, order.lines[0])
    async with new_uow() as uow:
        uow.refunds.add(refund)
        await uow.commit()
    async with new_uow() as uow:
        stored = await uow.refunds.get(refund.id, lock=True)
        assert fields_of(stored) == fields_of(refund)
        stored.status, stored.provider_id, stored.ended_at = RefundStatus.SUCCEEDED, "re_1", NOON
        await uow.commit()

    async with new_uow() as uow:
        by_key = await uow.refunds.by_request_key(order.id, "refund")
        assert by_key is not None
        assert (by_key.status, by_key.ended_at) == (RefundStatus.SUCCEEDED, NOON)
        assert await uow.refunds.by_provider_id("re_1") is by_key
        assert await uow.refunds.by_request_key(order.id, "another") is None
        assert await uow.refunds.by_request_key(NOBODY, "refund") is None
        assert await uow.refunds.by_provider_id("re_2") is None
        with pytest.raises(NotFound):
            await uow.refunds.get(NOBODY)


@pytest.mark.parametrize("same", [{"request_key": "refund"}, {"provider_id": "re_1"}])
async def test_a_key_asks_for_one_refund_and_the_provider_makes_each_once(
    new_uow: NewUnitOfWork, same: dict[str, object]
) -> None:
    order = await an_order(new_uow)
    async with new_uow() as uow:
        uow.refunds.add(refund_of(order, order.lines[0], provider_id="re_1"))
        await uow.commit()

    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            uow.refunds.add(refund_of(order, order.lines[0], **{"request_key": "b", **same}))
            await uow.commit()


# PostgreSQL alone.


async def test_of_many_sweeps_at_once_one_claims_each_order(postgres_uow: NewUnitOfWork) -> None:
    shop = await market(postgres_uow())
    orders = [order_of(shop.products) for _ in range(10)]
    await placed(postgres_uow, *orders)

    claims = await asyncio.gather(*(claim(postgres_uow, minutes=5, limit=4) for _ in range(5)))

    claimed = [order_id for claim in claims for order_id in claim]
    assert len(claimed) == len(set(claimed))


async def test_of_many_who_close_an_order_at_once_one_frees_its_stock(
    postgres_uow: NewUnitOfWork,
) -> None:
    shop = await market(postgres_uow(), stock=3)
    order = await place_limited(postgres_uow, shop, quantity=1)
    kept = await place_limited(postgres_uow, shop, quantity=1)

    closed = await asyncio.gather(*(close(postgres_uow, order.id) for _ in range(5)))

    assert closed.count(True) == 1
    assert (await stored_product(postgres_uow, shop.products[0])).reserved == kept.lines[0].quantity

"""Orders of guests, and orders that are called off."""

from uuid import uuid4

from application.ordering.completion import complete_orders
from tests.http import estate
from tests.http.shop import API, RETURN, Shop, data_of, refusal

BASKET = {"items": [{"product_id": str(estate.PRODUCT), "quantity": 2}], **RETURN}


async def place(shop: Shop, *, guest: bool = False) -> dict[str, str]:
    body = BASKET | ({"email": "guest@example.com"} if guest else {})
    by = None if guest else shop.fan
    placed: dict[str, str] = data_of(
        await shop.post("/checkout", body, by=by, key=str(uuid4())), 201
    )
    return placed


async def settle(shop: Shop, page: dict[str, str]) -> None:
    captured = await shop.pay(page["session_id"])
    assert not await complete_orders(
        [captured], uow=shop.ports.uow(), clock=shop.ports.clock, hold=shop.ports.hold
    )


async def test_an_unpaid_order_is_closed_with_its_page(shop: Shop) -> None:
    page = await place(shop)
    path = f"/orders/{page['order_id']}"

    gone = data_of(await shop.post(f"{path}/cancel", by=shop.fan, key="c"))

    assert (gone["status"], gone["refund_id"]) == ("cancelled", None)
    assert data_of(await shop.get(path, by=shop.fan))["status"] == "cancelled"
    assert shop.provider is not None
    state = await shop.provider.payments.checkout_state(page["session_id"])
    assert state.status == "expired"
    async with (uow := shop.ports.uow()):
        assert (await uow.products.get(estate.PRODUCT)).reserved == 0


async def test_a_paid_order_is_given_back_once(shop: Shop) -> None:
    page = await place(shop)
    await settle(shop, page)
    path = f"/orders/{page['order_id']}"

    first = data_of(await shop.post(f"{path}/cancel", by=shop.fan, key="1"))
    again = data_of(await shop.post(f"{path}/cancel", by=shop.fan, key="2"))

    assert first == again
    (refund,) = data_of(await shop.get(f"{path}/refunds", by=shop.fan))
    assert (refund["id"], refund["amount_cents"]) == (first["refund_id"], 5000)
    assert data_of(await shop.get(path, by=shop.fan))["status"] == "cancelled"


async def test_a_page_that_was_paid_meanwhile_is_settled_and_given_back(shop: Shop) -> None:
    page = await place(shop)
    await shop.pay(page["session_id"])

    gone = data_of(await shop.post(f"/orders/{page['order_id']}/cancel", by=shop.fan, key="c"))

    assert gone["refund_id"] is not None


async def test_who_sells_cannot_cancel_for_the_buyer(shop: Shop) -> None:
    page = await place(shop)
    answer = await shop.post(f"/orders/{page['order_id']}/cancel", by=shop.owner, key="c")
    assert refusal(answer) == (404, "not_found")


async def test_a_guest_reads_and_cancels_by_the_orders_token_and_no_other(shop: Shop) -> None:
    mine, other = await place(shop, guest=True), await place(shop, guest=True)
    await settle(shop, mine)
    path = f"{API}/orders/{mine['order_id']}"

    def by(page: dict[str, str]) -> dict[str, str]:
        return {"Order-Token": page["order_token"], "Idempotency-Key": "k"}

    shown = data_of(await shop.http.get(path, headers=by(mine)))
    assert (shown["status"], shown["total_cents"]) == ("paid", 5000)
    statement = data_of(await shop.http.get(f"{path}/statement", headers=by(mine)))
    assert statement["total_cents"] == 5000
    assert refusal(await shop.http.get(path, headers=by(other))) == (404, "not_found")
    assert refusal(await shop.http.get(path)) == (401, "unauthenticated")
    forged = {"Order-Token": "x.y"}
    assert refusal(await shop.http.get(path, headers=forged)) == (401, "unauthenticated")
    gone = data_of(await shop.http.post(f"{path}/cancel", headers=by(mine)))
    assert gone["refund_id"] is not None

"""Where an order goes, as each party is told it; and lists of orders by what became of them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ordering.completion import complete_orders
from application.ordering.deliveries import collect_address
from domain.identity.actor import Actor
from domain.ordering.address import Address
from domain.ordering.order import DeliveryHold, DisputeState, FulfilmentState
from tests.http import estate
from tests.http.shop import API, Shop, data_of, refusal
from tests.http.test_orders import bought, cart

HOME = Address(country="DE", name="Ada Lace", line1="1 Known Street", city="Berlin")


async def sent_home(shop: Shop, **wanted: object) -> dict[str, Any]:
    """A paid order whose buyer told the payment page where it goes."""
    by = None if "email" in wanted else shop.fan
    body = cart((estate.PRODUCT, 1)) | wanted
    page: dict[str, Any] = data_of(await shop.post("/checkout", body, by=by, key=str(uuid4())), 201)
    assert shop.provider is not None
    captured = shop.provider.payments.pay(page["session_id"], ship_to=HOME)
    ports = shop.ports
    await complete_orders([captured], uow=ports.uow(), clock=ports.clock, hold=ports.hold)
    await collect_address(UUID(page["order_id"]), uow=ports.uow(), payments=ports.payments)
    return page


async def delivery(shop: Shop, order_id: str, by: Actor) -> Any:
    return data_of(await shop.get(f"/orders/{order_id}", by=by))["delivery"]


async def test_the_buyer_and_who_sees_to_the_orders_know_where_it_goes(shop: Shop) -> None:
    order_id = (await sent_home(shop))["order_id"]

    for who in (shop.fan, shop.owner):
        told = await delivery(shop, order_id, who)
        assert (told["address"]["line1"], told["hold"]) == ("1 Known Street", None)
    for who in (shop.team_viewer, shop.admin):
        assert await delivery(shop, order_id, who) is None
    for who in (shop.other_creator, shop.staff_elsewhere):
        assert refusal(await shop.get(f"/orders/{order_id}", by=who)) == (404, "not_found")


async def test_a_guest_knows_where_it_goes_by_the_orders_token(shop: Shop) -> None:
    page = await sent_home(shop, email="guest@example.org")
    headers = {"Order-Token": page["order_token"]}
    answer = await shop.http.get(f"{API}/orders/{page['order_id']}", headers=headers)
    assert data_of(answer)["delivery"]["address"]["city"] == "Berlin"


async def test_what_was_quoted_for_goes_where_it_was_quoted(shop: Shop) -> None:
    given = {"country": "US", "name": "Grace", "line1": "2 Other Street"}
    page = await sent_home(shop, shipping_address=given)
    told = await delivery(shop, page["order_id"], shop.fan)
    assert (told["address"]["country"], told["address"]["line1"]) == ("US", "2 Other Street")


async def test_nobody_has_said_where_an_unpaid_order_goes(shop: Shop) -> None:
    page = data_of(
        await shop.post("/checkout", cart((estate.PRODUCT, 1)), by=shop.fan, key="k"), 201
    )
    assert await delivery(shop, page["order_id"], shop.fan) is None


async def change(shop: Shop, order_id: str, **changes: object) -> None:
    async with (uow := shop.ports.uow()):
        order = await uow.orders.get(UUID(order_id), lock=True)
        for name, value in changes.items():
            setattr(order, name, value)
        await uow.commit()


@pytest.mark.parametrize("whose", ["/orders", f"/stores/{estate.STORE}/orders"])
async def test_orders_are_listed_by_what_became_of_them(shop: Shop, whose: str) -> None:
    plain, shipped, disputed, held = [await bought(shop) for _ in range(4)]
    await change(shop, shipped, fulfilment_status=FulfilmentState.FULFILLED)
    await change(shop, disputed, dispute_status=DisputeState.OPEN)
    await change(shop, held, ship_to=HOME, delivery_hold=DeliveryHold.TERRITORY_REFUSED)
    by = shop.fan if whose == "/orders" else shop.owner

    async def listed(query: str) -> dict[str, Any]:
        return {o["id"]: o for o in data_of(await shop.get(f"{whose}?limit=100{query}", by=by))}

    everything = await listed("")
    assert {plain, shipped, disputed, held} <= set(everything)
    assert (everything[shipped]["status"], everything[shipped]["fulfilment_status"]) == (
        "shipped",
        "fulfilled",
    )
    assert everything[disputed]["dispute_status"] == "open"
    assert everything[held]["delivery_hold"] == "territory_refused"
    assert set(await listed("&fulfilment=fulfilled")) == {shipped}
    assert set(await listed("&dispute=open")) == {disputed}
    assert set(await listed("&held=true")) == {held}
    assert await listed("&dispute=open&held=true") == {}
    calm = await listed("&fulfilment=none&dispute=none&held=false")
    assert plain in calm
    assert not {shipped, disputed, held} & set(calm)
    wrong = await shop.get(f"{whose}?fulfilment=lost", by=by)
    assert wrong.status_code == 400


async def test_a_cancelled_order_is_listed_as_cancelled(shop: Shop) -> None:
    order_id = await bought(shop)
    await shop.post(f"/orders/{order_id}/cancel", by=shop.fan, key="c")
    [listed] = data_of(await shop.get("/orders", by=shop.fan))
    assert (listed["id"], listed["status"]) == (order_id, "cancelled")

"""Checkout, orders, statements and refunds, as the buyer and those who earn see them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ordering.completion import complete_orders
from domain.identity.actor import Actor, Role
from domain.shared.money import Currency
from tests import builders
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

PAGES = {"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"}


def cart(*items: tuple[UUID, int]) -> dict[str, object]:
    lines = [{"product_id": str(product), "quantity": quantity} for product, quantity in items]
    return {"items": lines, **PAGES}


async def bought(shop: Shop, *, quantity: int = 2) -> str:
    """The id of a new order of the fan's, paid and settled."""
    page = data_of(
        await shop.post(
            "/checkout", cart((estate.PRODUCT, quantity)), by=shop.fan, key=str(uuid4())
        ),
        201,
    )
    captured = await shop.pay(page["session_id"])
    failures = await complete_orders(
        [captured], uow=shop.ports.uow(), clock=shop.ports.clock, hold=shop.ports.hold
    )
    assert failures == {}
    return str(page["order_id"])


async def test_a_checkout_answers_the_page_where_it_is_paid(shop: Shop) -> None:
    page = data_of(
        await shop.post("/checkout", cart((estate.PRODUCT, 2)), by=shop.fan, key="k"), 201
    )

    assert set(page) == {"order_id", "session_id", "url", "expires_at", "order_token"}
    assert page["order_token"] is None
    order = data_of(await shop.get(f"/orders/{page['order_id']}", by=shop.fan))
    assert (order["payment_status"], order["total_cents"]) == ("unpaid", 5000)
    assert order["checkout_url"] == page["url"]


async def test_the_same_request_is_answered_again_and_another_one_refused(shop: Shop) -> None:
    first = await shop.post("/checkout", cart((estate.PRODUCT, 1)), by=shop.fan, key="k")
    again = await shop.post("/checkout", cart((estate.PRODUCT, 1)), by=shop.fan, key="k")
    other = await shop.post("/checkout", cart((estate.PRODUCT, 2)), by=shop.fan, key="k")

    assert data_of(first, 201) == data_of(again, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert refusal(other) == (422, "idempotency_key_reused")
    assert len(data_of(await shop.get("/orders", by=shop.fan))) == 1


async def test_a_key_is_demanded(shop: Shop) -> None:
    answer = await shop.post("/checkout", cart((estate.PRODUCT, 1)), by=shop.fan)
    assert refusal(answer) == (400, "idempotency_key_required")


async def test_what_is_unknown_or_a_draft_is_404(shop: Shop) -> None:
    for number, product in enumerate((uuid4(), estate.DRAFT)):
        answer = await shop.post("/checkout", cart((product, 1)), by=shop.fan, key=str(number))
        assert refusal(answer) == (404, "not_found")


async def test_more_than_there_is_cannot_be_bought(shop: Shop) -> None:
    answer = await shop.post("/checkout", cart((estate.PRODUCT, 51)), by=shop.fan, key="k")
    assert refusal(answer) == (409, "out_of_stock")


async def test_an_order_has_one_currency(shop: Shop) -> None:
    euro = uuid4()
    async with (uow := shop.ports.uow()):
        product = builders.product_of(
            await uow.stores.get(estate.STORE),
            await uow.terms.get(estate.TERMS),
            await uow.assets.get(estate.PICTURE),
            id=euro,
            currency=Currency("eur"),
        )
        uow.products.add(product)
        await uow.commit()

    answer = await shop.post(
        "/checkout", cart((estate.PRODUCT, 1), (euro, 1)), by=shop.fan, key="k"
    )

    assert refusal(answer) == (400, "order_invalid")
    assert answer.json()["error"]["details"] == {"items": ["are priced in eur, usd"]}


async def test_a_refused_sale_names_the_product_and_every_reason(shop: Shop) -> None:
    await shop.send(
        "DELETE", f"/creators/{estate.CREATOR}/consents/{estate.CONSENT}", by=shop.owner
    )

    answer = await shop.post("/checkout", cart((estate.PRODUCT, 1)), by=shop.fan, key="k")

    assert refusal(answer) == (422, "sale_refused")
    reasons = answer.json()["error"]["reasons"]
    assert {reason["product_id"] for reason in reasons} == {str(estate.PRODUCT)}
    assert all(reason["code"] and reason["message"] for reason in reasons)


@pytest.mark.parametrize(
    "changes",
    [{"items": []}, {"items": [{"product_id": "x"}]}, {"success_url": "ftp://x"}, {"coupon": "x"}],
)
async def test_a_malformed_cart_is_400(shop: Shop, changes: dict[str, object]) -> None:
    answer = await shop.post("/checkout", cart((estate.PRODUCT, 1)) | changes, by=shop.fan, key="k")
    assert refusal(answer) == (400, "body_invalid")
    assert answer.json()["error"]["details"]


async def test_each_party_reads_its_own_statement(shop: Shop) -> None:
    """Two shirts at $25.00: the owner is creator and store, so both legs are theirs."""
    order_id = await bought(shop)
    path = f"/orders/{order_id}/statement"

    whole = data_of(await shop.get(path, by=shop.fan))
    theirs = data_of(await shop.get(path, by=shop.owner))

    assert sum(leg["amount_cents"] for leg in whole["legs"]) == whole["total_cents"] == 5000
    assert {leg["kind"] for leg in whole["legs"]} >= {"royalty", "platform_fee"}
    royalty = next(leg for leg in whole["legs"] if leg["kind"] == "royalty")
    assert royalty["payee"] == f"creator:{estate.CREATOR}"
    assert royalty["reason"]
    assert royalty["amount_cents"] == 500
    assert theirs["order_id"] == order_id
    assert refusal(await shop.get(path, by=shop.other_creator)) == (404, "not_found")


async def test_creator_and_store_read_only_what_is_theirs(shop: Shop) -> None:
    creator, store, order_id = await _order_of_three_parties(shop)
    path = f"/orders/{order_id}/statement"

    seen = {
        name: {
            leg["payee"].partition(":")[0] for leg in data_of(await shop.get(path, by=who))["legs"]
        }
        for name, who in {"buyer": shop.fan, "creator": creator, "store": store}.items()
    }

    assert seen["buyer"] == {"creator", "store", "platform"}
    assert "creator" in seen["creator"]
    assert "store" in seen["store"]


async def _order_of_three_parties(shop: Shop) -> tuple[Actor, Actor, str]:
    """A paid order of the fan's: one creator's picture, another one's store."""
    market = await builders.market(shop.ports.uow())
    page = data_of(
        await shop.post("/checkout", cart((market.products[0].id, 1)), by=shop.fan, key="k3"), 201
    )
    captured = await shop.pay(page["session_id"])
    await complete_orders(
        [captured], uow=shop.ports.uow(), clock=shop.ports.clock, hold=shop.ports.hold
    )
    creator = Actor(market.creator_user.id, frozenset({Role.CREATOR}))
    store = Actor(market.owner.id, frozenset({Role.STORE_OWNER}))
    return creator, store, str(page["order_id"])


async def test_what_was_sold_is_pending_in_the_balance(shop: Shop) -> None:
    await bought(shop)

    balance = data_of(await shop.get("/creators/balance", by=shop.owner))

    assert (balance["pending_cents"], balance["available_cents"]) == (500, 0)
    assert sum(release["amount_cents"] for release in balance["releases"]) == 500


async def refund(shop: Shop, order_id: object, body: object, *, key: str = "r") -> Any:
    return await shop.post(f"/orders/{order_id}/refunds", body, by=shop.owner, key=key)


async def test_a_refund_is_an_intent_and_counted_at_once(shop: Shop) -> None:
    order_id = await bought(shop)

    wanted = data_of(await refund(shop, order_id, {"amount_cents": 500, "reason": "late"}), 201)

    assert (wanted["status"], wanted["amount_cents"]) == ("pending", 500)
    [listed] = data_of(await shop.get(f"/orders/{order_id}/refunds", by=shop.fan))
    assert listed["id"] == wanted["id"]
    more = await refund(shop, order_id, {"amount_cents": 4501}, key="r2")
    assert refusal(more) == (422, "refund_too_large")


async def test_pieces_are_refunded_by_line(shop: Shop) -> None:
    order_id = await bought(shop)
    [line] = data_of(await shop.get(f"/orders/{order_id}", by=shop.fan))["lines"]

    wanted = {"lines": [{"line_id": line["id"], "quantity": 1}], "reason": "came back"}

    assert data_of(await refund(shop, order_id, wanted), 201)["amount_cents"] == 2500


async def test_the_same_refund_is_one_refund(shop: Shop) -> None:
    order_id = await bought(shop)
    first = await refund(shop, order_id, {"amount_cents": 500})
    again = await refund(shop, order_id, {"amount_cents": 500})
    other = await refund(shop, order_id, {"amount_cents": 600})

    assert data_of(first, 201) == data_of(again, 201)
    assert refusal(other) == (422, "idempotency_key_reused")


async def test_refunds_that_make_no_sense(shop: Shop) -> None:
    order_id = await bought(shop)
    both = {"amount_cents": 1, "lines": [{"line_id": str(uuid4()), "quantity": 1}]}
    strange = {"lines": [{"line_id": str(uuid4()), "quantity": 1}]}

    assert refusal(await refund(shop, order_id, both, key="1")) == (400, "refund_invalid")
    assert refusal(await refund(shop, order_id, strange, key="2")) == (404, "not_found")
    assert (await refund(shop, order_id, {"amount_cents": 0}, key="3")).status_code == 400
    unpaid = await refund(shop, estate.UNPAID_ORDER, {"amount_cents": 1}, key="4")
    assert refusal(unpaid) == (409, "order_not_paid")
    buyer = await shop.post(f"/orders/{order_id}/refunds", {}, by=shop.fan, key="5")
    assert refusal(buyer) == (404, "not_found")

"""Carts of users and of strangers, and what becomes of them."""

from typing import Any

from tests.http import estate
from tests.http.shop import API, RETURN, Shop, data_of, refusal

ITEM = {"product_id": str(estate.PRODUCT), "quantity": 2}


async def stranger(shop: Shop, method: str, path: str, body: object = None) -> Any:
    """A request of a browser that nobody is signed in to; it keeps its cookie."""
    return await shop.http.request(method, API + path, json=body)


async def test_a_user_fills_changes_and_empties_the_cart(shop: Shop) -> None:
    assert data_of(await shop.get("/cart", by=shop.fan))["id"] is None

    full = data_of(await shop.post("/cart/items", ITEM, by=shop.fan))
    assert (full["subtotal_cents"], full["items"][0]["quantity"]) == (5000, 2)
    more = data_of(await shop.post("/cart/items", ITEM, by=shop.fan))
    assert more["items"][0]["quantity"] == 4
    path = f"/cart/items/{estate.PRODUCT}"
    fewer = data_of(await shop.send("PATCH", path, {"quantity": 1}, by=shop.fan))
    assert fewer["items"][0]["quantity"] == 1
    assert data_of(await shop.send("DELETE", path, by=shop.fan))["items"] == []
    assert refusal(await shop.send("DELETE", path, by=shop.fan)) == (404, "not_found")


async def test_a_changed_price_is_shown_beside_the_one_that_was_seen(shop: Shop) -> None:
    await shop.post("/cart/items", ITEM, by=shop.fan)
    async with (uow := shop.ports.uow()):
        (await uow.products.get(estate.PRODUCT)).price_cents = 2600
        await uow.commit()

    (line,) = data_of(await shop.get("/cart", by=shop.fan))["items"]

    assert (line["price_changed"], line["seen_price_cents"]) == (True, 2500)
    assert line["unit_price_cents"] == 2600


async def test_a_stranger_is_known_by_a_cookie_that_no_script_and_no_other_site_may_use(
    shop: Shop,
) -> None:
    answer = await stranger(shop, "POST", "/cart/items", ITEM)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("likeness_cart=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert data_of(await stranger(shop, "GET", "/cart"))["id"] == data_of(answer)["id"]
    shop.http.cookies.clear()
    assert data_of(await stranger(shop, "GET", "/cart"))["id"] is None
    shop.http.cookies.set("likeness_cart", "forged.token")
    assert data_of(await stranger(shop, "GET", "/cart"))["id"] is None


async def test_signing_in_takes_the_strangers_cart_along_once(shop: Shop) -> None:
    await shop.post("/cart/items", ITEM, by=shop.fan)
    await stranger(shop, "POST", "/cart/items", ITEM)

    merged = await shop.get("/cart", by=shop.fan)
    again = await shop.get("/cart", by=shop.fan)

    assert data_of(merged)["items"][0]["quantity"] == 4
    assert "Max-Age=0" in merged.headers["set-cookie"]
    assert data_of(again)["items"][0]["quantity"] == 4


async def test_a_cart_is_quoted_and_ordered_once_and_the_next_one_is_new(shop: Shop) -> None:
    await shop.post("/cart/items", ITEM, by=shop.fan)
    await shop.post("/cart/discount-codes", {"code": "known"}, by=shop.fan)
    address = {"address": {"country": "DE"}}
    cart = data_of(await shop.send("PUT", "/cart/shipping-address", address, by=shop.fan))
    assert cart["discount_codes"] == ["KNOWN"]
    quote = data_of(await shop.post("/quotes", {"cart_id": cart["id"]}, by=shop.fan))
    assert (quote["total_cents"], quote["split"]) == (4500, [])
    order = {"cart_id": cart["id"], "quote_token": quote["token"], **RETURN}

    placed = data_of(await shop.post("/checkout", order, by=shop.fan, key="1"), 201)
    again = await shop.post("/checkout", {"cart_id": cart["id"], **RETURN}, by=shop.fan, key="2")

    assert refusal(again) == (409, "cart_ordered")
    assert refusal(await shop.post("/cart/items", ITEM, by=shop.fan)) == (409, "cart_ordered")
    assert data_of(await shop.get("/cart", by=shop.fan))["order_id"] == placed["order_id"]
    not_mine = await shop.post("/quotes", {"cart_id": cart["id"]}, by=shop.other_creator)
    assert refusal(not_mine) == (404, "not_found")


async def test_a_code_that_nothing_in_the_cart_has_is_refused(shop: Shop) -> None:
    await shop.post("/cart/items", ITEM, by=shop.fan)

    answer = await shop.post("/cart/discount-codes", {"code": "OTHER"}, by=shop.fan)

    assert refusal(answer) == (422, "discount_not_usable")

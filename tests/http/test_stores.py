"""Stores, their products, and what the public sees of both."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

STORE = f"/stores/{estate.STORE}"
PRODUCTS = f"{STORE}/products"
LICENCE = f"/creators/{estate.CREATOR}/licence-terms"


def draft(**changes: object) -> dict[str, object]:
    return {
        "generation_id": str(estate.GENERATION),
        "product_type": "shirt",
        "title": "A shirt",
        "description": "Soft.",
        "price_cents": 2500,
        "currency": "usd",
        **changes,
    }


async def made(shop: Shop, **changes: object) -> Any:
    return data_of(await shop.post(PRODUCTS, draft(**changes), by=shop.owner), 201)


async def test_a_store_is_opened_changed_and_seen_by_everybody(shop: Shop) -> None:
    wish = {"name": "Prints", "slug": "prints", "description": "On paper."}
    store = data_of(await shop.post("/stores", wish, by=shop.other_store_owner), 201)

    path = f"/stores/{store['id']}"
    changed = data_of(
        await shop.send("PATCH", path, {"name": "New prints"}, by=shop.other_store_owner)
    )
    assert (changed["name"], changed["description"]) == ("New prints", "On paper.")
    seen = data_of(await shop.get("/public/stores/prints"))
    assert seen == {**wish, "name": "New prints", "id": store["id"]}
    mine = data_of(await shop.get("/stores", by=shop.other_store_owner))
    assert store["id"] in [one["id"] for one in mine]


async def test_a_slug_is_taken_once(shop: Shop) -> None:
    answer = await shop.post("/stores", {"name": "A", "slug": estate.SLUG}, by=shop.owner)
    assert refusal(answer) == (409, "slug_taken")


async def test_a_draft_is_put_on_sale_and_taken_off(shop: Shop) -> None:
    product = await made(shop, stock=3)
    assert (product["status"], product["decision"]["outcome"]) == ("draft", "allow")
    path, listing = f"/products/{product['id']}", f"/catalogue/products/{product['id']}"
    assert refusal(await shop.get(listing)) == (404, "not_found")

    published = data_of(await shop.post(f"{path}/publish", by=shop.owner))
    assert published["status"] == "active"
    seen = data_of(await shop.get(listing))
    assert (seen["available"], seen["price_cents"], seen["store_slug"]) == (3, 2500, estate.SLUG)

    data_of(await shop.post(f"{path}/unpublish", by=shop.owner))
    assert refusal(await shop.get(listing)) == (404, "not_found")


async def test_a_refused_listing_tells_every_reason_and_its_field(shop: Shop) -> None:
    terms = {"min_price_cents": 5000, "blocked_keywords": ["casino"], "product_types": ["postcard"]}
    data_of(await shop.post(LICENCE, terms, by=shop.owner), 201)
    product = await made(shop, title="At the casino")
    assert product["decision"]["outcome"] == "deny"

    answer = await shop.post(f"/products/{product['id']}/publish", by=shop.owner)

    assert refusal(answer) == (422, "listing_refused")
    error = answer.json()["error"]
    fields = {reason["field"] for reason in error["reasons"]}
    assert fields >= {"price_cents", "title", "product_type"}
    assert set(error["details"]) == fields
    price = next(reason for reason in error["reasons"] if reason["field"] == "price_cents")
    assert (price["limit"], price["value"]) == (5000, 2500)


async def test_a_change_of_what_is_on_sale_passes_the_gates_or_does_not_happen(
    shop: Shop,
) -> None:
    data_of(await shop.post(LICENCE, {"min_price_cents": 2000}, by=shop.owner), 201)
    path = f"/products/{estate.PRODUCT}"

    cheaper = await shop.send("PATCH", path, {"price_cents": 1900}, by=shop.owner)
    assert refusal(cheaper) == (422, "listing_refused")
    assert data_of(await shop.get(path, by=shop.owner))["price_cents"] == 2500
    dearer = await shop.send("PATCH", path, {"price_cents": 2600}, by=shop.owner)
    assert data_of(dearer)["price_cents"] == 2600


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price_cents": -1}, (400, "body_invalid")),
        ({"title": ""}, (400, "body_invalid")),
        ({"product_type": "car"}, (400, "body_invalid")),
        ({"prise_cents": 1}, (400, "body_invalid")),
        ({"currency": "xxx"}, (400, "currency_unknown")),
        ({"generation_id": str(estate.RUNNING)}, (409, "generation_not_ready")),
        ({"generation_id": str(uuid4())}, (409, "generation_not_ready")),
    ],
)
async def test_what_cannot_be_a_product(
    shop: Shop, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    assert refusal(await shop.post(PRODUCTS, draft(**changes), by=shop.owner)) == expected


async def test_the_catalogue_is_paged_and_filtered(shop: Shop) -> None:
    for number in range(3):
        product = await made(shop, title=f"Shirt {number}")
        data_of(await shop.post(f"/products/{product['id']}/publish", by=shop.owner))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"limit=2&store={estate.STORE}" + (f"&cursor={cursor}" if cursor else "")
        answer = await shop.get(f"/catalogue/products?{query}")
        seen += [product["title"] for product in data_of(answer)]
        cursor = answer.json()["meta"]["pagination"]["next_cursor"]
    assert seen == ["Shirt 2", "Shirt 1", "Shirt 0", "A product"]
    others = await shop.get(f"/catalogue/products?creator={estate.OTHER_CREATOR}")
    assert data_of(others) == []
    wrong = await shop.get("/catalogue/products?cursor=xyz")
    assert refusal(wrong) == (400, "cursor_invalid")


async def test_templates_tell_what_making_costs(shop: Shop) -> None:
    templates = {t["product_type"]: t for t in data_of(await shop.get("/product-templates"))}
    assert templates["shirt"]["production_cost_cents"]["usd"] > 0
    assert templates["shirt"]["sizes"]


async def test_a_store_lists_its_orders_and_balance(shop: Shop) -> None:
    orders = data_of(await shop.get(f"{STORE}/orders", by=shop.owner))
    assert {UUID(order["id"]) for order in orders} == {estate.ORDER, estate.UNPAID_ORDER}
    balance = data_of(await shop.get(f"{STORE}/balance", by=shop.owner))
    assert balance["pending_cents"] == 0
    products = data_of(await shop.get(PRODUCTS, by=shop.owner))
    assert {UUID(one["id"]) for one in products} == {estate.PRODUCT, estate.DRAFT}

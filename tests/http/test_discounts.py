"""Discounts as a store and the platform give them."""

from typing import Any

import pytest

from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

TEN = {"store_id": str(estate.STORE), "title": "Ten", "kind": "percent", "value": 1000}


async def given(shop: Shop, **changes: object) -> Any:
    return await shop.post("/discounts", TEN | changes, by=shop.owner)


async def test_a_store_gives_a_discount_and_lists_it(shop: Shop) -> None:
    made = data_of(await given(shop, code="spring-26", usage_limit=5), 201)

    assert (made["code"], made["used"], made["active"]) == ("SPRING-26", 0, True)
    listed = data_of(await shop.get(f"/discounts?store_id={estate.STORE}", by=shop.owner))
    assert [discount["id"] for discount in listed] == [made["id"], str(estate.DISCOUNT)]
    assert data_of(await shop.get("/discounts", by=shop.admin)) == []


async def test_a_code_is_given_once_until_it_is_ended(shop: Shop) -> None:
    first = data_of(await given(shop, code="TWICE"), 201)
    assert refusal(await given(shop, code="twice")) == (409, "discount_code_taken")

    gone = await shop.send("DELETE", f"/discounts/{first['id']}", by=shop.owner)
    assert gone.status_code == 204
    assert data_of(await given(shop, code="TWICE"), 201)["id"] != first["id"]
    again = await shop.send("DELETE", f"/discounts/{first['id']}", by=shop.owner)
    assert refusal(again) == (404, "not_found")


async def test_what_is_done_with_a_discount_is_in_the_audit_log(shop: Shop) -> None:
    made = data_of(await given(shop, code="LOGGED", usage_limit=5), 201)
    path = f"/discounts/{made['id']}"
    await shop.send("PATCH", path, {"usage_limit": 9}, by=shop.owner)
    await shop.send("DELETE", path, by=shop.owner)

    ended, changed, first = data_of(
        await shop.get(f"/admin/audit?object_id={made['id']}", by=shop.admin)
    )
    assert {entry["actor_id"] for entry in (first, changed, ended)} == {str(shop.owner.user_id)}
    assert [entry["act"] for entry in (first, changed, ended)] == [
        "discount.given",
        "discount.changed",
        "discount.ended",
    ]
    assert (first["before"], first["after"]["value"]) == (None, 1000)
    limits = (changed["before"]["usage_limit"], changed["after"]["usage_limit"])
    assert limits == (5, 9)
    assert (ended["before"]["code"], ended["after"]) == ("LOGGED", None)


async def test_a_refused_change_leaves_no_line(shop: Shop) -> None:
    made = data_of(await given(shop), 201)
    answer = await shop.send(
        "PATCH", f"/discounts/{made['id']}", {"ends_at": "2020-01-01T00:00:00Z"}, by=shop.owner
    )
    assert answer.status_code == 400

    acts = data_of(await shop.get(f"/admin/audit?object_id={made['id']}", by=shop.admin))
    assert [entry["act"] for entry in acts] == ["discount.given"]


async def test_a_change_leaves_out_what_stays_and_null_takes_a_limit_away(shop: Shop) -> None:
    made = data_of(await given(shop, usage_limit=5, per_customer_limit=1), 201)
    path = f"/discounts/{made['id']}"

    changed = data_of(
        await shop.send("PATCH", path, {"active": False, "usage_limit": None}, by=shop.owner)
    )

    assert (changed["active"], changed["usage_limit"], changed["per_customer_limit"]) == (
        False,
        None,
        1,
    )
    assert changed["title"] == "Ten"


@pytest.mark.parametrize(
    "changes",
    [
        {"value": 10_001},
        {"kind": "amount"},
        {"currency": "usd"},
        {"kind": "amount", "currency": "xxx"},
        {"code": "a"},
        {"starts_at": "2026-11-21T10:00:00"},
        {"starts_at": "2026-11-21T10:00:00Z", "ends_at": "2026-11-20T10:00:00Z"},
    ],
)
async def test_a_discount_that_contradicts_itself_is_400(
    shop: Shop, changes: dict[str, object]
) -> None:
    answer = await given(shop, **changes)
    assert refusal(answer) == (400, "discount_invalid")
    assert answer.json()["error"]["details"]


async def test_a_store_names_its_own_products_only(shop: Shop) -> None:
    other = await given(shop, product_ids=["01900000-0000-7000-8000-00000000ffff"])
    assert refusal(other) == (404, "not_found")


async def test_what_a_licence_forbids_for_a_named_product_is_refused_at_once(shop: Shop) -> None:
    path = f"/creators/{estate.CREATOR}/licence-terms"
    data_of(
        await shop.post(path, {"royalty_bps": 500, "max_discount_bps": 500}, by=shop.owner), 201
    )

    answer = await given(shop, product_ids=[str(estate.PRODUCT)])

    assert refusal(answer) == (422, "discount_refused")
    assert answer.json()["error"]["reasons"][0]["code"] == "discount_too_deep"
    data_of(await given(shop, product_ids=[str(estate.PRODUCT)], value=500), 201)

"""Credits and plans as users and administrators meet them."""

from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

PAGES = {"success_url": "https://shop.example/a", "cancel_url": "https://shop.example/b"}


async def test_the_first_look_of_a_day_brings_its_grant(shop: Shop) -> None:
    shown = data_of(await shop.get("/credits", by=shop.fan))
    assert (shown["balance"], shown["daily"], shown["bought"], shown["held"]) == (100, 100, 0, 0)
    assert shown["next_reset"].endswith("T00:00:00Z")
    again = data_of(await shop.get("/credits", by=shop.fan))
    assert again == shown
    (entry,) = data_of(await shop.get("/credits/transactions", by=shop.fan))
    assert (entry["kind"], entry["credits"], entry["balance_after"]) == ("grant", 100, 100)


async def test_an_administrator_gives_and_takes_with_a_reason(shop: Shop) -> None:
    path = f"/admin/users/{estate.OWNER}/credits"
    given = data_of(
        await shop.post(path, {"credits": 50, "reason": "thanks"}, by=shop.admin, key="a")
    )
    assert (given["bought"], given["balance"]) == (50, 150)
    taken = await shop.post(path, {"credits": -51, "reason": "no"}, by=shop.admin, key="b")
    assert refusal(taken) == (422, "credits_exhausted")
    entries = data_of(await shop.get("/credits/transactions", by=shop.owner))
    assert (entries[0]["kind"], entries[0]["reason"]) == ("adjust", "thanks")
    audit = data_of(await shop.get("/admin/audit?act=credits.adjusted", by=shop.admin))
    assert len(audit) == 1


async def test_transactions_come_in_pages(shop: Shop) -> None:
    path = f"/admin/users/{estate.OWNER}/credits"
    for number in range(5):
        body = {"credits": number + 1, "reason": "more"}
        data_of(await shop.post(path, body, by=shop.admin, key=str(number)))
    seen: list[int] = []
    query = "?limit=2"
    while query:
        answer = await shop.get(f"/credits/transactions{query}", by=shop.owner)
        seen += [entry["number"] for entry in data_of(answer)]
        following = answer.json()["meta"]["pagination"]["next_cursor"]
        query = f"?limit=2&cursor={following}" if following else ""
    assert seen == [6, 5, 4, 3, 2, 1]


async def test_prices_name_every_step_and_the_packs(shop: Shop) -> None:
    prices = data_of(await shop.get("/credits/prices"))
    assert prices["steps"]["training"] == {"credits": 50, "unit": "training_step", "each": 1000}
    assert [pack["name"] for pack in prices["packs"]] == ["small", "medium", "large"]


async def test_a_pack_is_bought_on_a_page(shop: Shop) -> None:
    bought = data_of(
        await shop.post("/credits/purchases", {"pack": "small", **PAGES}, by=shop.fan, key="k"),
        201,
    )
    assert bought["url"].startswith("https://")
    unknown = await shop.post(
        "/credits/purchases", {"pack": "endless", **PAGES}, by=shop.fan, key="l"
    )
    assert refusal(unknown) == (400, "pack_unknown")
    path = f"/admin/credit-purchases/{bought['id']}/refund"
    unpaid = await shop.post(path, {"reason": "asked"}, by=shop.admin, key="m")
    assert refusal(unpaid) == (409, "purchase_not_paid")


async def test_a_plan_begins_on_a_page_and_the_free_one_needs_none(shop: Shop) -> None:
    free = data_of(await shop.get("/billing/subscription", by=shop.fan))
    assert (free["plan"], free["status"]) == ("free", None)
    assert [plan["name"] for plan in free["plans"]] == ["free", "pro", "enterprise"]
    wish = {"plan": "pro", "interval": "year", **PAGES}
    data_of(await shop.post("/billing/checkout", wish, by=shop.fan, key="k"), 201)
    none = await shop.post("/billing/checkout", wish | {"plan": "free"}, by=shop.fan, key="l")
    assert refusal(none) == (409, "plan_not_sold")


async def test_use_is_told_day_by_day(shop: Shop) -> None:
    assert data_of(await shop.get("/billing/usage", by=shop.fan)) == []
    wrong = await shop.get("/billing/usage?from=2026-02-02&to=2026-02-01", by=shop.fan)
    assert refusal(wrong) == (400, "span_invalid")
    long = await shop.get("/billing/usage?from=2020-01-01&to=2026-02-01", by=shop.fan)
    assert refusal(long) == (400, "span_invalid")


async def test_what_was_paid_is_listed_with_its_document(shop: Shop) -> None:
    assert data_of(await shop.get("/billing/payments", by=shop.fan)) == []
    none = await shop.get("/billing/payments/ch_nobodys/document", by=shop.fan)
    assert refusal(none) == (404, "not_found")
    odd = await shop.get("/billing/payments/%00/document", by=shop.fan)
    assert odd.status_code in (400, 404)

"""The books, as administrators read them over HTTP, and what owners see of their balances."""

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec

from application.ledger.closing import close_books
from application.ledger.proofs import ProveBooks, prove_books
from domain.ledger import effects
from domain.ledger.effects import Part
from domain.ledger.posting import Account, Transaction
from domain.shared.money import Currency
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

ORDER = uuid4()


def sale(shop: Shop, number: int, *, days_ago: int = 0, currency: str = "usd") -> Transaction:
    return effects.sale(
        charge_id=f"ch_{number}",
        order_id=ORDER if number == 1 else uuid4(),
        currency=Currency(currency),
        parts=[
            Part(Account.PAYABLE_PENDING, estate.STORE, 900),
            Part(Account.PLATFORM_REVENUE, None, 100),
        ],
        at=shop.ports.clock.now() - timedelta(days=days_ago),
    )


async def post(shop: Shop, *transactions: Transaction) -> None:
    async with (uow := shop.ports.uow()):
        await uow.ledger.post(transactions)
        await uow.commit()


async def close(shop: Shop) -> None:
    ports = shop.ports
    await close_books(upkeep=ports.ledger_upkeep, views=ports.ledger_views, clock=ports.clock)


async def test_the_trial_balance_is_the_last_checkpoint_and_what_came_since(shop: Shop) -> None:
    await post(shop, sale(shop, 1, days_ago=3), sale(shop, 2, days_ago=2, currency="eur"))
    before = data_of(await shop.get("/admin/ledger/accounts", by=shop.admin))
    assert before["summed_through"] is None
    await close(shop)
    await post(shop, sale(shop, 3))
    after = data_of(await shop.get("/admin/ledger/accounts", by=shop.admin))
    day = (shop.ports.clock.now() - timedelta(days=2)).date()
    assert after["summed_through"] == day.isoformat()
    assert {(a["currency"], a["account"]): a["total_cents"] for a in after["accounts"]} == {
        ("eur", "payable_pending"): 900,
        ("eur", "platform_revenue"): 100,
        ("eur", "stripe_clearing"): -1000,
        ("usd", "payable_pending"): 1800,
        ("usd", "platform_revenue"): 200,
        ("usd", "stripe_clearing"): -2000,
    }


async def test_entries_are_listed_newest_first_and_page_by_page(shop: Shop) -> None:
    await post(shop, *(sale(shop, n, days_ago=n) for n in range(1, 5)))
    seen: list[tuple[str, str]] = []
    cursor = ""
    while True:
        answer = await shop.get(f"/admin/ledger/entries?limit=5{cursor}", by=shop.admin)
        seen += [(entry["effect_key"], entry["account"]) for entry in data_of(answer)]
        following = answer.json()["meta"]["pagination"]["next_cursor"]
        if following is None:
            break
        cursor = f"&cursor={following}"
    assert len(seen) == len(set(seen)) == 12
    assert [key for key, _ in seen[::3]] == [f"sale:ch_{n}" for n in range(1, 5)]


async def test_entries_are_found_by_what_they_are_about(shop: Shop) -> None:
    await post(shop, *(sale(shop, n, days_ago=n) for n in range(1, 5)))
    today = shop.ports.clock.now().date()
    for query, expected in {
        f"payee_id={estate.STORE}": 4,
        f"payee_id={uuid4()}": 0,
        f"order_id={ORDER}": 3,
        "kind=sale": 12,
        "kind=refund": 0,
        "effect_key=sale:ch_2": 3,
        f"from={today - timedelta(days=2)}": 6,
        f"to={today - timedelta(days=2)}": 9,
        f"from={today - timedelta(days=3)}&to={today - timedelta(days=2)}&kind=sale": 6,
    }.items():
        found = data_of(await shop.get(f"/admin/ledger/entries?{query}", by=shop.admin))
        assert len(found) == expected, query
    of_account = "/admin/ledger/accounts/platform_revenue/entries"
    found = data_of(await shop.get(f"{of_account}?effect_key=sale:ch_2", by=shop.admin))
    assert [(entry["account"], entry["amount_cents"]) for entry in found] == [
        ("platform_revenue", 100)
    ]
    unknown = await shop.get("/admin/ledger/accounts/petty_cash/entries", by=shop.admin)
    assert unknown.status_code in (400, 404)


async def test_one_effect_is_shown_whole(shop: Shop) -> None:
    await post(shop, sale(shop, 1))
    shown = data_of(await shop.get("/admin/ledger/transactions/sale:ch_1", by=shop.admin))
    assert (shown["kind"], shown["order_id"], shown["currency"]) == ("sale", str(ORDER), "usd")
    assert sum(entry["amount_cents"] for entry in shown["entries"]) == 0
    missing = await shop.get("/admin/ledger/transactions/sale:ch_9", by=shop.admin)
    assert refusal(missing) == (404, "not_found")


async def test_seals_are_listed_newest_first(shop: Shop) -> None:
    await post(shop, *(sale(shop, n, days_ago=n + 1) for n in range(1, 4)))
    await close(shop)
    first = await shop.get("/admin/ledger/seals?limit=2", by=shop.admin)
    cursor = first.json()["meta"]["pagination"]["next_cursor"]
    rest = await shop.get(f"/admin/ledger/seals?limit=2&cursor={cursor}", by=shop.admin)
    seals = data_of(first) + data_of(rest)
    assert [seal["number"] for seal in seals] == [3, 2, 1]
    assert seals[0]["previous_hash"] == seals[1]["hash"]


async def test_a_proof_is_asked_for_and_its_report_read_later(shop: Shop) -> None:
    await post(shop, sale(shop, 1))
    asked = data_of(await shop.post("/admin/ledger/verify", by=shop.admin, key="k"), 202)
    where = f"/admin/ledger/verify/{asked['id']}"
    assert data_of(await shop.get(where, by=shop.admin))["report"] is None
    ports = shop.ports
    body = msgspec.convert({"proof_id": asked["id"]}, ProveBooks, strict=False)
    for _ in range(2):
        await prove_books(
            body.proof_id, uow=ports.uow(), views=ports.ledger_views, clock=ports.clock
        )
    report = data_of(await shop.get(where, by=shop.admin))["report"]
    assert (report["sound"], report["transactions"], report["entries"]) == (True, 1, 3)


async def test_a_balance_tells_what_is_owed_since_when_and_its_currencies(shop: Shop) -> None:
    await post(shop, sale(shop, 1), sale(shop, 2, currency="eur"))
    debt = effects.refund(
        refund_id=UUID(int=1),
        order_id=ORDER,
        currency=Currency("usd"),
        parts=[Part(Account.PAYABLE_AVAILABLE, estate.STORE, 30)],
        at=(since := shop.ports.clock.now()),
    )
    await post(shop, debt)
    where = f"/stores/{estate.STORE}/balance?currency="
    usd = data_of(await shop.get(where + "usd", by=shop.owner))
    assert (usd["available_cents"], usd["owed_cents"]) == (-30, 30)
    assert usd["owed_since"][:19] == since.isoformat()[:19]
    assert sorted(usd["currencies"]) == ["eur", "usd"]
    eur = data_of(await shop.get(where + "eur", by=shop.owner))
    assert (eur["owed_cents"], eur["owed_since"]) == (0, None)

    owing = data_of(await shop.get("/admin/payees/negative", by=shop.admin))
    assert [(one["payee_id"], one["kind"], one["owed_cents"]) for one in owing] == [
        (str(estate.STORE), "store", 30)
    ]
    body = {"amount_cents": 30, "currency": "usd", "reason": "the store has closed"}
    write_off = f"/admin/payees/{estate.STORE}/write-offs"
    first = await shop.post(write_off, body, by=shop.admin, key="k")
    again = await shop.post(write_off, body, by=shop.admin, key="k")
    assert data_of(first, 201) == data_of(again, 201)
    assert data_of(await shop.get("/admin/payees/negative", by=shop.admin)) == []
    assert refusal(await shop.post(write_off, body, by=shop.admin, key="l")) == (
        422,
        "write_off_too_large",
    )

"""Over HTTP: a creator and a store choose, add a bank account, withdraw and follow the payout."""

import pytest

from adapters.memory.payout_provider import (
    MemoryBankAccountProvider,
    MemoryBankLinks,
    MemoryBankRail,
    MemoryPayoutWebhooks,
)
from application.ledger.payouts import handle_payout_events, send_payout
from application.ports.messages import Message
from domain.ledger import effects
from domain.ledger.effects import Part
from domain.ledger.payout_settings import PayoutMethod
from domain.ledger.posting import Account
from tests.builders import USD
from tests.http import estate
from tests.http.shop import API, Shop, data_of, refusal

CREATOR, STORE = "/creators", f"/stores/{estate.STORE}"


async def earn(shop: Shop, cents: int = 10_000) -> None:
    """For the creator and the store."""
    now = shop.ports.clock.now()
    for payee_id in (estate.CREATOR, estate.STORE):
        sale = effects.sale(
            charge_id=f"ch_{payee_id}",
            order_id=payee_id,
            currency=USD,
            parts=[Part(Account.PAYABLE_PENDING, payee_id, cents)],
            at=now,
        )
        release = effects.release(
            order_id=payee_id, payee_id=payee_id, currency=USD, amount_cents=cents, at=now
        )
        async with (uow := shop.ports.uow()):
            await uow.ledger.post([sale, release])
            await uow.commit()


def bank(shop: Shop) -> MemoryBankRail:
    rail = shop.ports.payout_rails[PayoutMethod.BANK]
    assert isinstance(rail, MemoryBankRail)
    return rail


async def usable_account(shop: Shop, whose: str, *, holder: str = "somebody") -> str:
    """Linked by the bank, hence verified, and made the default."""
    links = shop.ports.bank_links
    assert isinstance(links, MemoryBankLinks)
    token, account_id = links.pick(holder=holder)
    body = {"public_token": token, "account_id": account_id}
    added = data_of(
        await shop.post(f"{whose}/bank-accounts/plaid/exchange", body, by=shop.owner), 201
    )
    path = f"{whose}/bank-accounts/{added['id']}/default"
    chosen = data_of(await shop.send("PUT", path, by=shop.owner))
    assert chosen["is_default"]
    return str(added["id"])


async def choose(shop: Shop, whose: str, **changes: object) -> None:
    body = {"method": "bank", "schedule": "manual", **changes}
    data_of(await shop.send("PUT", f"{whose}/payouts/settings", body, by=shop.owner))


@pytest.mark.parametrize("whose", [CREATOR, STORE])
async def test_from_the_wish_to_the_bank(shop: Shop, whose: str) -> None:
    await earn(shop)
    await choose(shop, whose)
    await usable_account(shop, whose)
    eligible = data_of(await shop.get(f"{whose}/payouts/eligibility", by=shop.owner))
    assert (eligible["eligible"], eligible["payable_cents"]) == (True, 10_000)

    withdrawal = data_of(
        await shop.post(
            f"{whose}/balance/withdraw",
            {"amount_cents": 4000, "speed": "instant"},
            by=shop.owner,
            key="k",
        ),
        201,
    )
    payout = withdrawal["payout"]
    assert (payout["state"], payout["fee_cents"], payout["net_cents"]) == ("reserved", 50, 3950)

    ports = shop.ports
    await send_payout(payout["id"], uow=ports.uow(), rails=ports.payout_rails, clock=ports.clock)
    [found, *_] = bank(shop).facts
    bank(shop).complete(found)
    await told(shop, payout["id"])

    shown = data_of(await shop.get(f"{whose}/payouts/{payout['id']}", by=shop.owner))
    assert (shown["state"], shown["last4"]) == ("paid", "6789")
    listed = (await shop.get(f"{whose}/payouts?limit=1", by=shop.owner)).json()
    assert listed["data"] == [shown]
    assert listed["meta"]["pagination"]["next_cursor"]


async def told(shop: Shop, payout_id: str) -> None:
    """The webhook comes in, is kept, and is worked on."""
    webhooks = shop.ports.payout_webhooks
    assert isinstance(webhooks, MemoryPayoutWebhooks)
    headers, body = webhooks.tell(next(iter(bank(shop).facts)))
    for duplicate in (False, True):
        answer = await shop.http.post(f"{API}/webhooks/payout", content=body, headers=headers)
        assert data_of(answer) == {"received": True, "duplicate": duplicate}
    [row] = await shop.ports.message_views.page("inbox", topic="payout")
    message = Message(
        id=row.id, box="inbox", topic="payout", payload=body, attempts=1, created_at=row.created_at
    )
    failures = await handle_payout_events(
        [message],
        new_uow=shop.ports.uow,
        webhooks=webhooks,
        rails=shop.ports.payout_rails,
        clock=shop.ports.clock,
    )
    assert failures == {}


async def test_every_reason_is_told_in_the_refusal(shop: Shop) -> None:
    await choose(shop, CREATOR)

    answer = await shop.post("/creators/payouts", {}, by=shop.owner, key="k")

    assert refusal(answer) == (422, "payout_blocked")
    [reason] = answer.json()["error"]["reasons"]
    assert reason["code"] == "bank_account_name_in_review"


async def test_an_administrator_decides_about_another_name(shop: Shop) -> None:
    await earn(shop)
    await choose(shop, CREATOR)
    path = f"/admin/bank-accounts/{estate.CREATORS_ACCOUNT}/review"
    reviewed = data_of(await shop.post(path, {"approved": True}, by=shop.admin))
    assert reviewed["can_be_paid"]

    assert refusal(await shop.post(path, {"approved": False}, by=shop.admin)) == (
        409,
        "bank_account_not_in_review",
    )
    data_of(await shop.post("/creators/payouts", {}, by=shop.owner, key="k"), 201)


async def test_more_than_there_is_is_refused(shop: Shop) -> None:
    await earn(shop)
    await choose(shop, STORE)
    await usable_account(shop, STORE, holder="Somebody")

    answer = await shop.post(f"{STORE}/payouts", {"amount_cents": 10_001}, by=shop.owner, key="k")

    assert refusal(answer) == (422, "insufficient_available")


async def test_micro_deposits_have_three_tries(shop: Shop) -> None:
    accounts = shop.ports.bank_accounts_provider
    assert isinstance(accounts, MemoryBankAccountProvider)
    body = {"token": accounts.tokenise(holder="somebody")}
    added = data_of(await shop.post("/creators/bank-accounts", body, by=shop.owner), 201)
    assert (added["state"], added["holder_name"], added["attempts_left"]) == (
        "unverified",
        "matches",
        3,
    )
    path = f"/creators/bank-accounts/{added['id']}/verify"
    wrong = {"amounts_cents": [1, 2]}

    answers = [refusal(await shop.post(path, wrong, by=shop.owner)) for _ in range(4)]

    assert answers == [
        (422, "bank_account_wrong_amounts"),
        (422, "bank_account_wrong_amounts"),
        (422, "bank_account_locked"),
        (422, "bank_account_locked"),
    ]
    right = await shop.post(path, {"amounts_cents": [32, 45]}, by=shop.owner)
    assert refusal(right) == (422, "bank_account_locked")


async def test_a_link_is_opened_at_the_bank(shop: Shop) -> None:
    link = data_of(await shop.post("/creators/bank-accounts/plaid/link", by=shop.owner), 201)

    assert set(link) == {"link_token", "expires_at"}


async def test_a_removed_account_hands_over_and_is_closed_later(shop: Shop) -> None:
    first = await usable_account(shop, CREATOR)
    second = await usable_account(shop, CREATOR)

    gone = data_of(await shop.send("DELETE", f"/creators/bank-accounts/{second}", by=shop.owner))

    assert (gone["state"], gone["is_default"]) == ("removed", False)
    left = data_of(await shop.get("/creators/bank-accounts", by=shop.owner))
    assert [account["id"] for account in left if account["is_default"]] == [first]
    topics = [row.topic for row in await shop.ports.message_views.page("outbox")]
    assert "bank_accounts.close" in topics


async def test_a_minimum_below_the_platforms_is_refused(shop: Shop) -> None:
    body = {"method": "bank", "schedule": "daily", "minimum_cents": 999}

    answer = await shop.send("PUT", "/creators/payouts/settings", body, by=shop.owner)

    assert refusal(answer) == (422, "payout_minimum_too_small")


async def test_a_signature_that_is_none_is_kept_nowhere(shop: Shop) -> None:
    answer = await shop.http.post(f"{API}/webhooks/payout", content=b"{}")

    assert answer.status_code == 400
    assert await shop.ports.message_views.page("inbox", topic="payout") == []


async def test_an_unknown_currency_is_said(shop: Shop) -> None:
    answer = await shop.get("/creators/payouts/eligibility?currency=zzz", by=shop.owner)

    assert refusal(answer) == (400, "currency_unknown")

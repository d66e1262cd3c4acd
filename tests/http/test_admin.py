"""What administrators see of messages that are stuck, and of what was done."""

from typing import Any
from uuid import UUID

from application.ledger.reconciliation import RECONCILE_DAY
from application.ports.messages import Message, MessageRow
from entrypoints.worker.topics import topics
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal


async def test_a_parked_message_is_shown_without_personal_data(shop: Shop) -> None:
    shown = data_of(await shop.get(f"/admin/outbox/{estate.PARKED}", by=shop.admin))

    assert (shown["state"], shown["attempts"], shown["last_error"]) == ("parked", 1, "Rejected: no")
    assert shown["payload"] == {"email": "[redacted]", "order_id": str(estate.ORDER)}


async def test_messages_are_found_by_state_topic_and_age(shop: Shop) -> None:
    async def ids(query: str) -> list[str]:
        answer = await shop.get(f"/admin/outbox?{query}", by=shop.admin)
        return [row["id"] for row in data_of(answer)]

    assert await ids("state=parked") == [str(estate.PARKED)]
    assert await ids(f"topic={estate.STUCK_TOPIC}&older_than_s=0") == [str(estate.PARKED)]
    assert await ids("topic=another") == []
    assert await ids("state=parked&older_than_s=3600") == []
    assert refusal(await shop.get("/admin/outbox?state=lost", by=shop.admin))[0] == 400


async def test_a_redriven_message_is_due_and_the_log_says_who_did_it(shop: Shop) -> None:
    path = f"/admin/outbox/{estate.PARKED}/redrive"

    redriven = data_of(await shop.post(path, by=shop.admin))
    again = await shop.post(path, by=shop.admin)

    assert redriven == {"ids": [str(estate.PARKED)]}
    assert refusal(again) == (409, "message_not_parked")
    [row] = await rows_of(shop)
    assert (row.state, row.attempts) == ("pending", 0)
    [entry] = await audited(shop, "act=message.redriven")
    assert entry["actor_id"] == str(shop.admin.user_id)
    assert (entry["object_kind"], entry["object_id"]) == ("outbox", str(estate.PARKED))
    assert entry["address"] == "203.0.113.7"
    assert entry["request_id"]


async def test_all_that_is_parked_of_a_topic_is_redriven_at_once(shop: Shop) -> None:
    nothing = await shop.post("/admin/outbox/redrive", {"topic": "another"}, by=shop.admin)
    redriven = await shop.post("/admin/outbox/redrive", {}, by=shop.admin)

    assert data_of(nothing) == {"ids": []}
    assert data_of(redriven) == {"ids": [str(estate.PARKED)]}
    assert len(await audited(shop, "object_kind=outbox")) == 1


async def test_what_owners_do_is_in_the_log_in_pages(shop: Shop) -> None:
    for royalty_bps in (500, 600, 700):
        path = f"/creators/{estate.CREATOR}/licence-terms"
        data_of(await shop.post(path, {"royalty_bps": royalty_bps}, by=shop.owner), 201)
    who = f"actor_id={shop.owner.user_id}"

    first = await shop.get(f"/admin/audit?{who}&limit=2", by=shop.admin)
    cursor = first.json()["meta"]["pagination"]["next_cursor"]
    rest = await shop.get(f"/admin/audit?{who}&limit=2&cursor={cursor}", by=shop.admin)

    versions = [entry["after"]["version"] for entry in data_of(first) + data_of(rest)]
    assert versions == [4, 3, 2]
    assert rest.json()["meta"]["pagination"]["next_cursor"] is None
    assert await audited(shop, f"{who}&until=2020-01-01") == []
    assert len(await audited(shop, f"object_id={estate.CREATOR}&since=2020-01-01")) == 3


async def test_a_difference_is_listed_and_explained(shop: Shop) -> None:
    path = f"/admin/ledger/reconciliations/{estate.RECONCILIATION}/differences"
    why = {"explanation": "Our own payout to the bank."}

    [before] = data_of(await shop.get(path, by=shop.admin))
    explained = await shop.post(
        f"/admin/ledger/differences/{estate.DIFFERENCE}/explain", why, by=shop.admin
    )

    assert (before["kind"], before["state"]) == ("payout_not_booked", "open")
    assert (before["our_cents"], before["difference_cents"]) == (None, -9900)
    assert before["sentence"] == "The payout po_known of -$99.00 is not in the books."
    assert explained.status_code == 204
    [after] = data_of(await shop.get(f"{path}?state=explained", by=shop.admin))
    assert (after["explanation"], after["explained_by"]) == (
        why["explanation"],
        str(shop.admin.user_id),
    )
    [entry] = await audited(shop, "act=difference.explained")
    assert entry["object_id"] == str(estate.DIFFERENCE)


async def test_a_day_is_compared_when_an_administrator_asks(shop: Shop) -> None:
    run = data_of(
        await shop.post("/admin/ledger/reconcile", {"day": "2026-01-02"}, by=shop.admin), 202
    )
    future = await shop.post("/admin/ledger/reconcile", {"day": "2999-01-01"}, by=shop.admin)
    listed = data_of(await shop.get("/admin/ledger/reconciliations", by=shop.admin))

    assert (run["day"], run["phase"]) == ("2026-01-02", "fetch")
    assert refusal(future) == (400, "day_invalid")
    assert [one["day"] for one in listed] == ["2026-01-02", "2026-01-01"]
    assert [one["differences"] for one in listed] == [0, 1]
    [row] = await shop.ports.message_views.page("outbox", topic=RECONCILE_DAY)
    stored = await shop.ports.message_views.message("outbox", row.id)
    message = Message(
        id=row.id,
        box="outbox",
        topic=RECONCILE_DAY,
        payload=stored.payload,
        attempts=1,
        created_at=row.created_at,
    )
    assert await topics(shop.ports)[RECONCILE_DAY].handle([message]) == {}
    assert (await shop.ports.reconciliation_views.run(UUID(run["id"]))).phase == "done"


async def rows_of(shop: Shop) -> list[MessageRow]:
    return await shop.ports.message_views.page("outbox", topic=estate.STUCK_TOPIC)


async def audited(shop: Shop, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(await shop.get(f"/admin/audit?{query}", by=shop.admin))
    return found

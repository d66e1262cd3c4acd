"""What administrators see of messages that are stuck, and of what was done."""

from typing import Any

from application.ports.messages import MessageRow
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


async def rows_of(shop: Shop) -> list[MessageRow]:
    return await shop.ports.message_views.page("outbox", topic=estate.STUCK_TOPIC)


async def audited(shop: Shop, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(await shop.get(f"/admin/audit?{query}", by=shop.admin))
    return found

"""Exports over HTTP, made by the worker's own handlers, fetched by their links."""

from datetime import timedelta
from typing import Any

import httpx

from entrypoints.worker.topics import topics
from tests.http.shop import Shop, data_of
from tests.http.test_statements import rows_of


async def asked(shop: Shop, **query: Any) -> str:
    """The id of an export that an administrator asks for; `since` and `until` as from and to."""
    names = {"since": "from", "until": "to"}
    body = {names.get(name, name): value for name, value in query.items()}
    answer = data_of(await shop.post("/admin/exports", body, by=shop.admin), 202)
    assert (answer["state"], answer["file_count"]) == ("requested", 0)
    return str(answer["id"])


async def worked(shop: Shop, topic: str) -> None:
    """Whatever waits under the topic is handled, and must succeed."""
    messages, now, lease = shop.ports.messages, shop.ports.clock.now(), timedelta(minutes=1)
    due = await messages.take_due("outbox", rooms={topic: 10}, now=now, visibility=lease)
    claim = await messages.claim("outbox", topic, [one.id for one in due], lease=lease)
    assert claim is not None, f"nothing waits under {topic}"
    assert not await topics(shop.ports)[topic].handle(claim.messages)
    ids = [message.id for message in claim.messages]
    await messages.finish(claim, done=ids, setbacks=[], now=now)


async def details(shop: Shop, export_id: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(await shop.get(f"/admin/exports/{export_id}", by=shop.admin))
    return found


async def files(shop: Shop, **query: Any) -> list[httpx.Response]:
    """What the links of a finished export serve, to whoever has them."""
    export_id = await asked(shop, **query)
    await worked(shop, "exports.make")
    ready = await details(shop, export_id)
    assert (ready["state"], ready["failure"]) == ("ready", None)
    return [await shop.http.get(file["url"]) for file in ready["files"]]


async def rows(shop: Shop, **query: Any) -> list[dict[str, str]]:
    (answer,) = await files(shop, **query)
    return rows_of(answer.content)

"""A request sent twice takes effect once and is answered the same."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import post
from litestar.params import JSONBody
from msgspec import Struct

from adapters.memory.idempotency import MemoryIdempotency
from application.ports.errors import OutcomeUnknown
from application.ports.idempotency import RequestKey
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.idempotency import idempotent
from tests.http.platform.conftest import Api, Ports, serving

CARDS = "/api/v1/postcards"


async def send(
    api: Api, *, key: str | None, text: str = "hello", path: str = CARDS, user: str = "ada"
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {user}"} | ({"Idempotency-Key": key} if key else {})
    return await api.client.post(path, json={"text": text}, headers=headers)


async def test_the_second_answer_is_the_first(api: Api) -> None:
    first, second = await send(api, key="k"), await send(api, key="k")

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second.headers["content-type"] == "application/json"
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert len(api.ports.postcards.cards) == 1


async def test_without_a_key_each_request_counts(api: Api) -> None:
    await send(api, key=None)
    await send(api, key=None)

    assert len(api.ports.postcards.cards) == 2


async def test_another_body_is_refused(api: Api) -> None:
    await send(api, key="k")
    answer = await send(api, key="k", text="something else")

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "idempotency_key_reused"


async def test_users_do_not_share_keys(api: Api) -> None:
    await send(api, key="k")
    answer = await send(api, key="k", text="from ben", user="ben")

    assert answer.status_code == 201
    assert answer.json()["data"]["text"] == "from ben"


async def test_a_rule_that_said_no_says_the_same_again(api: Api) -> None:
    first = await send(api, key="k", text="far too much")
    second = await send(api, key="k", text="far too much")

    assert first.status_code == second.status_code == 422
    assert second.headers["idempotent-replayed"] == "true"


async def test_a_malformed_request_does_not_use_the_key_up(api: Api) -> None:
    assert (await send(api, key="k", text="")).status_code == 400
    assert (await send(api, key="k", text="hello")).status_code == 201


async def test_a_stranger_does_not_use_a_key_up(api: Api) -> None:
    assert (await send(api, key="k", user="nobody")).status_code == 401
    assert (await send(api, key="k")).status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "smile \N{GRINNING FACE}", "tab\there"])
async def test_a_key_is_short_printable_ascii(api: Api, key: str) -> None:
    headers = [(b"Authorization", b"Bearer ada"), (b"Idempotency-Key", key.encode())]
    answer = await api.client.post(CARDS, json={"text": "x"}, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "idempotency_key_invalid"


async def test_where_money_moves_a_key_is_required(api: Api) -> None:
    refused = await send(api, key=None, path=f"{CARDS}/pay")
    accepted = await send(api, key="k" * 255, path=f"{CARDS}/pay")

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "idempotency_key_required"
    assert accepted.status_code == 200


class Order(Struct):
    outcome: str


class Kitchen:
    """A route that takes as long as the test wants, and counts how often it was called."""

    def __init__(self) -> None:
        self.called = 0
        self.entered = asyncio.Event()
        self.may_finish = asyncio.Event()

    def route(self) -> Any:
        @post("/cook", opt=idempotent())
        async def cook(data: JSONBody[Order], actor: CurrentActor) -> Data[int]:
            self.called += 1
            self.entered.set()
            await self.may_finish.wait()
            if data.outcome == "unknown" and self.called == 1:
                raise OutcomeUnknown("no answer", provider="stove")
            if data.outcome == "crash" and self.called == 1:
                raise RuntimeError("fire")
            return Data(self.called)

        return cook


async def cook(api: Api, outcome: str = "done") -> httpx.Response:
    headers = {**api.as_ada, "Idempotency-Key": "k"}
    return await api.client.post("/cook", json={"outcome": outcome}, headers=headers)


async def test_a_duplicate_waits_for_the_first_one(api: Api) -> None:
    kitchen = Kitchen()
    async with serving(routers=[kitchen.route()], idempotency_wait_s=5) as api:
        first = asyncio.create_task(cook(api))
        await kitchen.entered.wait()
        second = asyncio.create_task(cook(api))
        await asyncio.sleep(0.05)
        kitchen.may_finish.set()

        assert (await first).json() == (await second).json() == {"data": 1, "meta": {}}
    assert kitchen.called == 1


async def test_a_duplicate_does_not_wait_for_ever() -> None:
    kitchen = Kitchen()
    async with serving(routers=[kitchen.route()], idempotency_wait_s=0.05) as api:
        first = asyncio.create_task(cook(api))
        await kitchen.entered.wait()
        second = await cook(api)
        kitchen.may_finish.set()
        await first

    assert second.status_code == 409
    assert second.json()["error"]["code"] == "idempotency_in_progress"
    assert second.headers["retry-after"] == "1"


@pytest.mark.parametrize(("outcome", "status"), [("unknown", 502), ("crash", 500)])
async def test_a_failure_on_our_side_may_be_tried_again(outcome: str, status: int) -> None:
    kitchen = Kitchen()
    kitchen.may_finish.set()
    async with serving(routers=[kitchen.route()]) as api:
        assert (await cook(api, outcome)).status_code == status
        assert (await cook(api, outcome)).json()["data"] == 2


class ForgetfulIdempotency(MemoryIdempotency):
    async def store(self, key: RequestKey, **_: Any) -> None:
        raise ConnectionError

    async def release(self, key: RequestKey, *, claim_id: UUID) -> None:
        raise ConnectionError


async def test_what_has_happened_is_told_even_if_it_cannot_be_kept() -> None:
    async with serving(ports=Ports(idempotency=ForgetfulIdempotency())) as api:
        answer = await send(api, key="k")

    assert answer.status_code == 201

"""One bad message never hurts the others of its batch."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from application.messaging import correlation
from application.messaging.handling import Handled, TookTooLong, handle_claim
from application.ports.messages import Claim, Handler, Message

NOW = datetime(2026, 5, 1, tzinfo=UTC)
POISON = UUID(int=2)


def claim_of(count: int, *, request_id: str | None = None) -> Claim:
    messages = [
        Message(
            id=UUID(int=number),
            box="outbox",
            topic="greet",
            payload=b"{}",
            attempts=1,
            created_at=NOW,
            request_id=request_id,
        )
        for number in range(1, count + 1)
    ]
    return Claim("outbox", messages, NOW)


async def handled(claim: Claim, handler: Handler, *, time_limit_s: float = 5) -> Handled:
    return await handle_claim(claim, handler, time_limit=timedelta(seconds=time_limit_s))


async def test_a_batch_is_handled_at_once() -> None:
    sizes: list[int] = []

    async def handler(messages: Sequence[Message]) -> None:
        sizes.append(len(messages))

    result = await handled(claim_of(3), handler)
    assert sizes == [3]
    assert len(result.done) == 3


async def test_failures_by_id_leave_the_others_done() -> None:
    async def handler(messages: Sequence[Message]) -> Mapping[UUID, Exception]:
        return {POISON: ValueError()}

    result = await handled(claim_of(3), handler)
    assert result.done == [UUID(int=1), UUID(int=3)]
    assert set(result.failed) == {POISON}


async def test_a_poison_message_fails_alone() -> None:
    async def handler(messages: Sequence[Message]) -> None:
        if any(message.id == POISON for message in messages):
            raise ValueError("poison")

    result = await handled(claim_of(4), handler)
    assert result.done == [UUID(int=1), UUID(int=3), UUID(int=4)]
    assert set(result.failed) == {POISON}


async def test_a_handler_that_hangs_is_stopped_before_its_lease_ends() -> None:
    async def handler(messages: Sequence[Message]) -> None:
        await asyncio.sleep(60)

    result = await handled(claim_of(2), handler, time_limit_s=0.05)
    assert [type(error) for error in result.failed.values()] == [TookTooLong] * 2


async def test_what_the_time_does_not_suffice_for_is_given_back_untried() -> None:
    async def handler(messages: Sequence[Message]) -> None:
        if len(messages) > 1:
            raise ValueError("not as a batch")
        await asyncio.sleep(0.06)

    result = await handled(claim_of(4), handler, time_limit_s=0.1)
    assert result.done == [UUID(int=1)]
    assert set(result.failed) == {UUID(int=2)}
    assert result.untried == [UUID(int=3), UUID(int=4)]


async def test_the_handlers_own_timeout_is_an_ordinary_failure() -> None:
    async def handler(messages: Sequence[Message]) -> None:
        raise TimeoutError

    result = await handled(claim_of(1), handler)
    assert [type(error) for error in result.failed.values()] == [TimeoutError]


async def test_a_handler_knows_the_request_that_caused_its_message() -> None:
    seen: list[str | None] = []

    async def handler(messages: Sequence[Message]) -> None:
        seen.append(correlation.request_id.get())

    await handled(claim_of(1, request_id="req-1"), handler)
    assert seen == ["req-1"]
    assert correlation.request_id.get() is None

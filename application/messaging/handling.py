"""Run a handler over the messages of a claim, so that one bad message never hurts the others.

The batch is handled at once; when that raises, each message is handled alone. What the time does
not suffice for is given back untried. No transaction is open around any of it.
"""

import asyncio
from collections.abc import Mapping
from contextvars import copy_context
from datetime import timedelta
from uuid import UUID

import msgspec

from application.messaging import correlation
from application.ports.messages import Claim, Handler, Message


class Handled(msgspec.Struct, frozen=True):
    done: list[UUID]
    failed: dict[UUID, Exception]
    untried: list[UUID]


class TookTooLong(Exception):
    """The handler did not end within the time that its topic's lease leaves it."""


async def handle_claim(claim: Claim, handler: Handler, *, time_limit: timedelta) -> Handled:
    """Handle every message of the claim. Raises nothing but cancellation."""
    deadline = asyncio.get_running_loop().time() + time_limit.total_seconds()
    messages = list(claim.messages)
    try:
        failed = await _attempt(handler, messages, deadline)
    except TookTooLong as error:
        return Handled([], {message.id: error for message in messages}, [])
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is kept with its message
        if len(messages) == 1:
            failed = {messages[0].id: error}
        else:
            return await _one_by_one(handler, messages, deadline)
    return Handled([one.id for one in messages if one.id not in failed], dict(failed), [])


async def _one_by_one(handler: Handler, messages: list[Message], deadline: float) -> Handled:
    handled = Handled([], {}, [])
    for message in messages:
        if asyncio.get_running_loop().time() >= deadline:
            handled.untried.append(message.id)
            continue
        try:
            failed = await _attempt(handler, [message], deadline)
        except Exception as error:  # noqa: BLE001 - see above
            failed = {message.id: error}
        if message.id in failed:
            handled.failed[message.id] = failed[message.id]
        else:
            handled.done.append(message.id)
    return handled


async def _attempt(
    handler: Handler, messages: list[Message], deadline: float
) -> Mapping[UUID, Exception]:
    context = copy_context()
    if len(messages) == 1:  # a batch has many causes, and so none to name
        context.run(correlation.request_id.set, messages[0].request_id)
        context.run(correlation.traceparent.set, messages[0].traceparent)
    work = asyncio.get_running_loop().create_task(_call(handler, messages), context=context)
    try:
        async with asyncio.timeout_at(deadline) as limit:
            return await work or {}
    except TimeoutError:
        if limit.expired():
            raise TookTooLong("The handler did not end in time.") from None
        raise


async def _call(handler: Handler, messages: list[Message]) -> Mapping[UUID, Exception] | None:
    return await handler(messages)

"""Turn a function of one body into a handler of many messages, worked side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from application.ports.messages import Handler, Message

B = TypeVar("B", bound=msgspec.Struct)


def each(body: type[B], handle: Callable[[B], Awaitable[None]]) -> Handler:
    """A handler that decodes each payload as `body` and reports failures message by message."""
    decode = msgspec.json.Decoder(body).decode

    async def one(message: Message) -> None:
        await handle(decode(message.payload))

    async def handler(messages: Sequence[Message]) -> Mapping[UUID, Exception]:
        outcomes = await asyncio.gather(*map(one, messages), return_exceptions=True)
        failures: dict[UUID, Exception] = {}
        for message, outcome in zip(messages, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failures[message.id] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        return failures

    return handler

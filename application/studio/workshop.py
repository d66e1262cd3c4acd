"""What the studio works with: the engines, and the ports that its handlers share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from application.moderation.judging import Moderation
from application.ports.clock import Clock
from application.ports.credentials import ContentCredentials
from application.ports.engines import Engine, EngineRequest
from application.ports.ids import Ids
from application.ports.images import ImageProcessor
from application.ports.live import LiveEvents
from application.ports.messages import Message
from application.ports.remote_files import RemoteFiles
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from application.ports.video import VideoProcessor
from domain.studio.attempt import Attempt
from domain.studio.pipelines import StepType
from domain.studio.turns import EngineName

SUBMIT_ATTEMPT = "studio.submit_attempt"
INGEST_RESULT = "studio.ingest_result"
CANCEL_ATTEMPT = "studio.cancel_attempt"
RUN_STEP = "studio.run_step"
GIVE_TURNS = "studio.give_turns"

DEFAULT_LIMIT = 10
"""Attempts that a provider is given at a time, unless something else is set for it."""


def submit_topic(step: StepType) -> str:
    """Steps that have a queue of their own have a topic of their own."""
    return f"{SUBMIT_ATTEMPT}.{step}" if step in OWN_QUEUE else SUBMIT_ATTEMPT


OWN_QUEUE = (StepType.IMAGE_GENERATION, StepType.VIDEO_SYNTHESIS, StepType.MOTION_TRANSFER)


class AttemptMessage(msgspec.Struct, frozen=True):
    """The body of outbox messages about an attempt."""

    attempt_id: UUID


class StepMessage(msgspec.Struct, frozen=True):
    """The body of outbox messages about a step of our own work."""

    step_id: UUID


class TurnsMessage(msgspec.Struct, frozen=True):
    """Something waits for its turn, or a place has become free."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """`engines` of a kind of request are in order of preference; `limits` say how many attempts a
    provider takes at a time.

    `webhook_base_url` is where providers call back: `{webhook_base_url}/{provider}`.
    """

    new_uow: Callable[[], UnitOfWork]
    clock: Clock
    ids: Ids
    storage: ObjectStorage
    images: ImageProcessor
    moderation: Moderation
    credentials: ContentCredentials
    videos: VideoProcessor
    remote_files: RemoteFiles
    live: LiveEvents
    engines: Mapping[type[EngineRequest], Sequence[Engine[Any]]]
    limits: Mapping[str, int] = field(default_factory=dict)
    webhook_base_url: str
    watermark: str = "PREVIEW"

    @cached_property
    def names(self) -> dict[str, list[EngineName]]:
        """By the tag of the request."""
        return {
            str(request.__struct_config__.tag): [
                EngineName(engine.provider, engine.model) for engine in engines
            ]
            for request, engines in self.engines.items()
        }

    @cached_property
    def places(self) -> dict[str, int]:
        """How many attempts each provider takes at a time."""
        return {
            engine.provider: self.limits.get(engine.provider, DEFAULT_LIMIT)
            for engines in self.engines.values()
            for engine in engines
        }

    def engine_of(self, attempt: Attempt, request: str | None) -> Engine[Any] | None:
        """The engine that an attempt is for, if it is still one of ours."""
        return next(
            (
                engine
                for kind, engines in self.engines.items()
                if kind.__struct_config__.tag == request
                for engine in engines
                if (engine.provider, engine.model) == (attempt.provider, attempt.model)
            ),
            None,
        )

    def webhook_url(self, attempt: Attempt) -> str:
        """Where to call back about the attempt; its id finds it when the answer is lost."""
        return f"{self.webhook_base_url}/{attempt.provider}?attempt={attempt.id}"


async def for_each_attempt(
    messages: Sequence[Message], handle: Callable[[UUID], Awaitable[None]]
) -> Mapping[UUID, Exception]:
    """Handle the messages of a batch side by side; answers the failures by message id."""

    async def one(message: Message) -> None:
        body = msgspec.json.decode(message.payload, type=AttemptMessage)
        await handle(body.attempt_id)

    return failures_of(messages, await asyncio.gather(*map(one, messages), return_exceptions=True))


def failures_of(
    messages: Sequence[Message], outcomes: Sequence[BaseException | None]
) -> Mapping[UUID, Exception]:
    """By message id. What is no mere failure ends the batch: its messages come again."""
    failures: dict[UUID, Exception] = {}
    for message, outcome in zip(messages, outcomes, strict=True):
        if isinstance(outcome, Exception):
            failures[message.id] = outcome
        elif outcome is not None:
            raise outcome
    return failures

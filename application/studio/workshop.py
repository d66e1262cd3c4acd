"""What the studio works with: the providers, and the ports that its handlers share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.generation import ImageGenerator, ModelTrainer
from application.ports.ids import Ids
from application.ports.images import ImageProcessor
from application.ports.live import LiveEvents
from application.ports.messages import Message
from application.ports.remote_files import RemoteFiles
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from domain.studio.attempt import Attempt
from domain.studio.generation import Mode
from domain.studio.job import Job, JobKind

SUBMIT_ATTEMPT = "studio.submit_attempt"
INGEST_RESULT = "studio.ingest_result"
CANCEL_ATTEMPT = "studio.cancel_attempt"


class AttemptMessage(msgspec.Struct, frozen=True):
    """The body of every outbox message of the studio."""

    attempt_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """`generators` of a mode and `trainers` are tried in turn, attempt by attempt.

    `webhook_base_url` is where providers call back: `{webhook_base_url}/{provider}`.
    """

    new_uow: Callable[[], UnitOfWork]
    clock: Clock
    ids: Ids
    storage: ObjectStorage
    images: ImageProcessor
    remote_files: RemoteFiles
    live: LiveEvents
    generators: Mapping[Mode, Sequence[ImageGenerator]]
    trainers: Sequence[ModelTrainer]
    webhook_base_url: str
    watermark: str = "PREVIEW"

    def generator_for(self, attempt: Attempt, mode: Mode) -> ImageGenerator:
        generators = self.generators[mode]
        return generators[(attempt.number - 1) % len(generators)]

    def trainer_for(self, attempt: Attempt) -> ModelTrainer:
        return self.trainers[(attempt.number - 1) % len(self.trainers)]

    async def provider_of(
        self, attempt: Attempt, job: Job, *, uow: UnitOfWork
    ) -> ImageGenerator | ModelTrainer | None:
        """The provider that an attempt was sent to, if it is still one of ours.

        A provider may keep its requests by mode, so that of the generation is looked up.
        """
        providers: Sequence[ImageGenerator | ModelTrainer] = self.trainers
        if job.kind is JobKind.GENERATION:
            providers = self.generators[(await uow.generations.get(job.id)).mode]
        return next((one for one in providers if one.provider == attempt.provider), None)

    def webhook_url(self, attempt: Attempt, provider: str) -> str:
        """Where to call back about the attempt; its id finds it when the answer is lost."""
        return f"{self.webhook_base_url}/{provider}?attempt={attempt.id}"


async def for_each_attempt(
    messages: Sequence[Message], handle: Callable[[UUID], Awaitable[None]]
) -> Mapping[UUID, Exception]:
    """Handle the messages of a batch side by side; answers the failures by message id."""

    async def one(message: Message) -> None:
        body = msgspec.json.decode(message.payload, type=AttemptMessage)
        await handle(body.attempt_id)

    outcomes = await asyncio.gather(*map(one, messages), return_exceptions=True)
    return {
        message.id: outcome
        for message, outcome in zip(messages, outcomes, strict=True)
        if isinstance(outcome, Exception)
    }

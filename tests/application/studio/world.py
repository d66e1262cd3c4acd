"""A studio to try things in: a real database, and providers that do what they are told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.credentials import MemoryCredentials
from adapters.memory.engines import MemoryEngine
from adapters.memory.faces import MemoryFaces
from adapters.memory.images import MemoryImages, blank_png
from adapters.memory.live import MemoryLive
from adapters.memory.moderation import MemoryImageClassifier
from adapters.memory.remote_files import MemoryRemoteFiles
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from adapters.memory.video import MemoryVideos, movie, sound
from adapters.postgres.live_records import PostgresLiveRecords
from adapters.postgres.messages import outbox_messages
from adapters.postgres.studio_views import PostgresStudioViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.creators.tombstones import END_JOBS_OF_MODEL
from application.media.assets import (
    DELETE_TRAINING_IMAGES,
    DeleteTrainingImages,
    delete_training_images,
    erase_bytes,
    upload_image,
)
from application.ports.credentials import ContentCredentials
from application.ports.engines import (
    CharacterToImage,
    EngineJob,
    EngineRequest,
    ImageToMesh,
    ImageToVideo,
    PhotoToImage,
    TalkingPortrait,
    TextToImage,
    TextToSpeech,
    TrainLikeness,
    TransferMotion,
    UpscaleImage,
)
from application.ports.live import LiveEvent, job_channel
from application.ports.media import ERASE_BYTES
from application.ports.messages import Message
from application.ports.storage import ObjectStorage
from application.ports.studio import GenerationRow
from application.studio.bereaved import end_jobs_of_models
from application.studio.completion import ProviderReport, apply_report
from application.studio.credits import open_wallet
from application.studio.dispatching import give_turns, give_turns_for
from application.studio.generations import (
    AcceptedJob,
    RequestGeneration,
    cancel_generation,
    request_generation,
    retry_generation,
)
from application.studio.ingesting import ingest_results
from application.studio.local_steps import run_steps
from application.studio.models import AcceptedModel, TrainModel, train_model
from application.studio.polling import cancel_attempts, poll_stale_attempts
from application.studio.submission import submit_attempts
from application.studio.workshop import (
    CANCEL_ATTEMPT,
    GIVE_TURNS,
    INGEST_RESULT,
    OWN_QUEUE,
    RUN_STEP,
    SUBMIT_ATTEMPT,
    Workshop,
    submit_topic,
)
from domain.creators.training_set import TrainingPolicy
from domain.identity.actor import Actor, Role
from domain.media.asset import Asset, AssetPurpose
from domain.studio.attempt import Attempt
from domain.studio.step import Step
from tests import builders
from tests.moderating import moderation_for
from tests.pictures import MESH

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def _erase(messages: Sequence[Message], *, workshop: Workshop) -> None:
    await erase_bytes(messages, storage=workshop.storage)


async def _delete_images(messages: Sequence[Message], *, workshop: Workshop) -> None:
    for message in messages:
        body = msgspec.json.decode(message.payload, type=DeleteTrainingImages)
        await delete_training_images(body, new_uow=workshop.new_uow)


HANDLERS: dict[str, Any] = {
    ERASE_BYTES: _erase,
    DELETE_TRAINING_IMAGES: _delete_images,
    GIVE_TURNS: give_turns_for,
    SUBMIT_ATTEMPT: submit_attempts,
    **{submit_topic(step): submit_attempts for step in OWN_QUEUE},
    RUN_STEP: run_steps,
    INGEST_RESULT: ingest_results,
    CANCEL_ATTEMPT: cancel_attempts,
    END_JOBS_OF_MODEL: end_jobs_of_models,
}


OTHERS: dict[type[EngineRequest], str] = {
    CharacterToImage: "png",
    UpscaleImage: "png",
    ImageToVideo: "mp4",
    TransferMotion: "mp4",
    TalkingPortrait: "mp4",
    TextToSpeech: "mp3",
    ImageToMesh: "glb",
}
MADE = {"png": blank_png(2000, 1000), "mp4": movie(), "mp3": sound("mp3"), "glb": MESH}


class World:
    """`fan` asks for images of the creator of `market`, who is `owner`."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], *, generators: int = 1) -> None:
        self.sessions = sessions
        self.clock = ManualClock(NOON)
        self.ids = UuidV7Ids()
        self.storage = MemoryStorage(clock=self.clock)
        self.images = MemoryImages()
        self.faces = MemoryFaces(usually=1)
        self.policy = TrainingPolicy(min_images=1, warns=True)
        self.credentials = MemoryCredentials()
        self.videos = MemoryVideos()
        self.files = MemoryRemoteFiles()
        self.live = MemoryLive()
        self.generators = [
            MemoryEngine(provider=f"memory{number or ''}", model="text_to_image")
            for number in range(generators)
        ]
        self.others = {
            request: MemoryEngine(
                provider="elsewhere", model=str(request.__struct_config__.tag), suffix=suffix
            )
            for request, suffix in OTHERS.items()
        }
        self.trainer = MemoryEngine(provider="trainer", suffix="safetensors")
        self.views = PostgresStudioViews(sessions)
        self.records = PostgresLiveRecords(sessions)
        self.fan = builders.actor(Role.FAN)
        self.classifier = MemoryImageClassifier()
        self.moderation = moderation_for(self.clock, self.ids, images=self.classifier)
        self.workshop = Workshop(
            new_uow=self.uow,
            clock=self.clock,
            ids=self.ids,
            storage=self.storage,
            images=self.images,
            moderation=self.moderation,
            credentials=self.credentials,
            videos=self.videos,
            remote_files=self.files,
            live=self.live,
            engines={
                TextToImage: self.generators,
                PhotoToImage: self.generators,
                TrainLikeness: [self.trainer],
                **{request: [engine] for request, engine in self.others.items()},
            },
            webhook_base_url="https://likeness.test/api/v1/webhooks",
        )

    def use_storage(self, storage: ObjectStorage) -> None:
        """Keep objects elsewhere from now on."""
        self.storage = cast("MemoryStorage", storage)
        self.workshop = replace(self.workshop, storage=storage)

    def use_credentials(self, credentials: ContentCredentials) -> None:
        """Sign by another from now on."""
        self.workshop = replace(self.workshop, credentials=credentials)

    @property
    def generator(self) -> MemoryEngine:
        return self.generators[0]

    def uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self.sessions, clock=self.clock, ids=self.ids)

    async def opened(self, **terms: Any) -> "World":
        self.market = await builders.market(self.uow(), **terms)
        self.owner = Actor(user_id=self.market.creator_user.id, roles=frozenset({Role.CREATOR}))
        await self.fund(self.owner, 1000)
        return self

    async def fund(self, actor: Actor, credits: int) -> None:
        """Credits that do not lapse."""
        async with (uow := self.uow()):
            wallet = await open_wallet(uow, actor.user_id, self.clock.now())
            wallet.adjust(credits, reason="a test", at=self.clock.now())
            await uow.credits.save(wallet)
            await uow.commit()

    async def upload(self, purpose: AssetPurpose, *, actor: Actor) -> UUID:
        made = await upload_image(
            blank_png(40, 30),
            purpose,
            actor=actor,
            uow=self.uow(),
            storage=self.storage,
            images=self.images,
            moderation=self.moderation,
            faces=self.faces,
            clock=self.clock,
            ids=self.ids,
        )
        return made.id

    async def train(self, images: Sequence[UUID] | None = None, **changes: object) -> AcceptedModel:
        if images is None and "asset_ids" not in changes:
            images = [
                await self.upload(AssetPurpose.TRAINING_IMAGE, actor=self.owner) for _ in range(2)
            ]
        return await train_model(
            self.market.creator.id,
            TrainModel(**{"trigger_word": "adl4ce", "asset_ids": list(images or ()), **changes}),  # type: ignore[arg-type]
            actor=self.owner,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            live=self.live,
            policy=self.policy,
        )

    async def with_model(self, **changes: Any) -> "World":
        """A trained model, by the whole way there."""
        await self.train(**changes)
        await self.work()
        return await self.trained()

    async def trained(self) -> "World":
        """What was last submitted for training is done, and brought home."""
        submission = self.trainer.submissions[-1]
        self.trainer.complete(submission.request_id)
        self.files.put(f"https://results.example/{submission.request_id}.safetensors", b"weights")
        await self.poll_later()
        await self.work()
        return self

    async def ask(self, *, prompt: str = "at a harbour", **changes: object) -> AcceptedJob:
        values = {"creator_id": self.market.creator.id, "prompt": prompt, **changes}
        return await request_generation(
            RequestGeneration(**values),  # type: ignore[arg-type]
            actor=self.fan,
            uow=self.uow(),
            enhancer=None,
            clock=self.clock,
            ids=self.ids,
            live=self.live,
            moderation=self.moderation,
        )

    async def cancel(self, generation_id: UUID) -> AcceptedJob:
        return await cancel_generation(
            generation_id, actor=self.fan, uow=self.uow(), clock=self.clock, live=self.live
        )

    async def retry(self, generation_id: UUID) -> AcceptedJob:
        return await retry_generation(
            generation_id,
            actor=self.fan,
            uow=self.uow(),
            clock=self.clock,
            ids=self.ids,
            live=self.live,
            moderation=self.moderation,
        )

    async def work(self) -> int:
        """Handle every outbox message that is due; answers how many there were."""
        handled = 0
        while done := await self.work_once():
            handled += done
        return handled

    async def work_once(self) -> int:
        """Those that are due now, and not what follows from them."""
        messages = await self._take_due()
        for message in messages:
            failures = await HANDLERS[message.topic]([message], workshop=self.workshop)
            for failure in (failures or {}).values():
                raise failure
        return len(messages)

    async def poll_later(self, after: timedelta = timedelta(minutes=1)) -> int:
        self.clock.advance(after)
        return await poll_stale_attempts(workshop=self.workshop)

    async def finish_at_provider(self, *, number: int = -1, make_file: bool = True) -> str:
        """The newest (or `number`-th) submission succeeds there; answers its request id."""
        submission = self.generator.submissions[number]
        self.generator.complete(submission.request_id)
        if make_file:
            self.files.put(
                f"https://results.example/{submission.request_id}.png", blank_png(2000, 1000)
            )
        return submission.request_id

    async def call_back(self, request_id: str, *, attempt_id: UUID | None = None) -> bool:
        """The provider's webhook arrives, saying where its job stands."""
        job = await self.generator.fetch(request_id)
        return await self.report(job, attempt_id=attempt_id)

    async def report(self, job: EngineJob, *, attempt_id: UUID | None = None) -> bool:
        report = ProviderReport(
            provider=self.generator.provider,
            attempt_id=attempt_id,
            job=job,
        )
        return await apply_report(report, workshop=self.workshop)

    def engine(self, request: type[EngineRequest]) -> MemoryEngine:
        return self.others.get(request, self.generator)

    def limit(self, provider: str, places: int) -> None:
        """From now on the provider takes so many attempts at a time."""
        self.workshop = replace(self.workshop, limits={provider: places})

    async def give_turns(self) -> int:
        return await give_turns(workshop=self.workshop)

    async def make(self, attempt: Attempt, content: bytes | None = None) -> None:
        """The engine that has the attempt is done, and calls back."""
        engine = next(
            one
            for one in (*self.generators, *self.others.values())
            if (one.provider, one.model) == (attempt.provider, attempt.model)
        )
        assert attempt.request_id is not None
        engine.complete(attempt.request_id)
        job = await engine.fetch(attempt.request_id)
        for output in job.outputs:
            suffix = (output.url or "").rpartition(".")[2]
            self.files.put(output.url or "", MADE[suffix] if content is None else content)
        report = ProviderReport(provider=engine.provider, attempt_id=attempt.id, job=job)
        await apply_report(report, workshop=self.workshop)

    async def call_back_of(
        self,
        request_id: str,
        request: type[EngineRequest],
        *,
        attempt_id: UUID | None = None,
    ) -> bool:
        engine = self.engine(request)
        report = ProviderReport(
            provider=engine.provider, attempt_id=attempt_id, job=await engine.fetch(request_id)
        )
        return await apply_report(report, workshop=self.workshop)

    async def seen(self, generation_id: UUID) -> GenerationRow:
        return await self.views.generation(generation_id, owner_id=self.fan.user_id)

    async def events(self, job_id: UUID) -> list[LiveEvent]:
        channel = job_channel(job_id)
        return list((await self.records.read({channel: 0}, limit=1000))[channel].events)

    async def attempts(self, job_id: UUID) -> list[Attempt]:
        async with (uow := self.uow()):
            return await uow.attempts.of_job(job_id)

    async def steps(self, job_id: UUID) -> list[Step]:
        async with (uow := self.uow()):
            return await uow.steps.of_job(job_id)

    async def images_of(self, generation_id: UUID) -> list[Asset]:
        async with (uow := self.uow()):
            return await uow.assets.of_generation(generation_id)

    async def _take_due(self) -> list[Message]:
        table = outbox_messages
        async with self.sessions() as session:
            rows = (
                await session.execute(
                    select(table)
                    .where(
                        table.c.state == "pending",
                        table.c.due_at <= self.clock.now(),
                        table.c.topic.in_(HANDLERS),
                    )
                    .order_by(table.c.due_at, table.c.id)
                )
            ).all()
            await session.execute(
                update(table)
                .where(table.c.id.in_([row.id for row in rows]))
                .values(state="done", finished_at=self.clock.now())
            )
            await session.commit()
        return [
            Message(
                id=row.id,
                box="outbox",
                topic=row.topic,
                payload=row.payload,
                attempts=1,
                created_at=row.created_at,
            )
            for row in rows
        ]

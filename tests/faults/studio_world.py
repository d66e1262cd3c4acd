"""A studio that is open: a creator who licenses everything and has a trained model, and wishes."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.media.assets import upload_image
from application.ports.storage import ObjectStorage
from application.studio.credits import open_wallet
from application.studio.generations import RequestGeneration, SpokenText, request_generation
from application.studio.models import TrainModel, train_model
from domain.creators.training_set import TrainingPolicy
from domain.identity.actor import Actor, Role
from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability
from domain.media.asset import Asset, AssetPurpose, Media
from entrypoints.bootstrap import Ports
from entrypoints.settings import Settings
from entrypoints.worker.jobs import jobs
from tests import builders
from tests.movies import movie
from tests.pictures import picture

SPEECH = "Good morning, and thank you for coming."
PREFIXES = ("assets/", "work/", "models/", "answers/", "training/", "quarantine/")
SWEEPS = ("erase-orphaned-files", "erase-training-archives", "release-abandoned-credits")
KINDS = ("training", "image", "video", "talking_avatar", "model_3d", "speech")
MANY_CREDITS = 100_000
LONGER_THAN_ANY_SWEEP = timedelta(days=3)


@dataclass
class Studio:
    """`driving_id` is a video in which somebody moves as whoever is in a fan's video shall;
    `presets` are by the fan who has them."""

    ports: Ports
    creator_id: UUID
    owner: Actor
    image_id: UUID
    driving_id: UUID
    presets: dict[UUID, UUID] = field(default_factory=dict)

    @classmethod
    async def opened(cls, ports: Ports) -> "Studio":
        everything = builders.terms(
            capabilities=frozenset(Capability), subject_rights=frozenset(SubjectRight)
        )
        market = await builders.market(ports.uow(), licence=everything, prices_cents=())
        owner = Actor(user_id=market.creator_user.id, roles=frozenset({Role.CREATOR}))
        image = await upload_image(
            picture(),
            AssetPurpose.TRAINING_IMAGE,
            actor=owner,
            uow=ports.uow(),
            storage=ports.storage,
            images=ports.images,
            moderation=ports.moderation,
            faces=ports.faces,
            clock=ports.clock,
            ids=ports.ids,
        )
        driving_id = await _driving_video(ports, owner.user_id)
        studio = cls(ports, market.creator.id, owner, image.id, driving_id)
        await studio.welcome(owner.user_id)
        return studio

    async def welcome(self, user_id: UUID) -> None:
        """Credits that do not lapse, and a preset."""
        now = self.ports.clock.now()
        preset = builders.preset_of(user_id, driving_asset_id=self.driving_id, duration_ms=1000)
        async with (uow := self.ports.uow()):
            uow.presets.add(preset)
            await uow.commit()
        self.presets[user_id] = preset.id
        async with (uow := self.ports.uow()):
            wallet = await open_wallet(uow, user_id, now)
            wallet.adjust(MANY_CREDITS, reason="a test", at=now)
            await uow.credits.save(wallet)
            await uow.commit()

    async def fan(self) -> Actor:
        someone = builders.user()
        async with (uow := self.ports.uow()):
            uow.users.add(someone)
            await uow.commit()
        await self.welcome(someone.id)
        return Actor(user_id=someone.id, roles=frozenset({Role.FAN}))

    async def ask(self, kind: str, *, fan: Actor) -> UUID:
        """A job of the kind; of a training, the creator's."""
        ports = self.ports
        if kind == "training":
            command = TrainModel(trigger_word="adl4ce", asset_ids=[self.image_id], steps=500)
            model = await train_model(
                self.creator_id,
                command,
                actor=self.owner,
                uow=ports.uow(),
                clock=ports.clock,
                ids=ports.ids,
                live=ports.workshop.live,
                policy=TrainingPolicy(min_images=1, warns=True),
            )
            return model.id
        accepted = await request_generation(
            RequestGeneration(creator_id=self.creator_id, **self.wish(kind, fan.user_id)),
            actor=fan,
            uow=ports.uow(),
            enhancer=None,
            clock=ports.clock,
            ids=ports.ids,
            live=ports.workshop.live,
            moderation=ports.moderation,
        )
        return accepted.id

    def wish(self, kind: str, fan_id: UUID) -> dict[str, Any]:
        wish: dict[str, Any] = {"kind": kind, "prompt": "" if kind == "speech" else "at a harbour"}
        if kind == "video":
            wish["preset_id"] = self.presets[fan_id]
        if kind in ("talking_avatar", "speech"):
            wish["speech"] = SpokenText(text=SPEECH)
        return wish


async def _driving_video(ports: Ports, owner_id: UUID) -> UUID:
    asset_id, content = ports.ids.new(), await asyncio.to_thread(movie)
    stored = await ports.storage.put(
        f"assets/{asset_id}/clean.mp4", content, content_type="video/mp4"
    )
    async with (uow := ports.uow()):
        uow.assets.add(
            Asset(
                id=asset_id,
                owner_id=owner_id,
                purpose=AssetPurpose.DRIVING_VIDEO,
                media=Media.VIDEO,
                content_type="video/mp4",
                width=64,
                height=48,
                duration_ms=1000,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                clean_key=stored.key,
                created_at=ports.clock.now(),
            )
        )
        await uow.commit()
    return asset_id


async def sweep(ports: Ports, settings: Settings) -> None:
    """What the scheduler does about files and holds that nobody needs any more."""
    for job in jobs(ports, settings):
        if job.name in SWEEPS:
            await job.run()


async def stored_keys(storage: ObjectStorage) -> set[str]:
    return {found.key for prefix in PREFIXES async for found in storage.listing(prefix)}

"""The routes of images and generations over a real database and a studio that obeys."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.filesystem.links import SignedLinks
from adapters.filesystem.storage import FilesystemStorage
from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.memory.engines import MemoryEngineWebhooks
from adapters.memory.idempotency import MemoryIdempotency
from adapters.memory.live import MemoryLive
from adapters.memory.prompts import MemoryPrompts
from adapters.memory.rate_limits import MemoryRateLimits
from adapters.memory.seals import MemorySeals
from adapters.memory.system import ManualClock
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.media import PostgresAssetViews
from adapters.postgres.messages import PostgresInbox
from adapters.postgres.studio_views import PostgresStudioViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.uploads import PostgresUploadViews
from adapters.system.ids import UuidV7Ids
from application.moderation.judging import Moderation
from application.ports.engines import ProviderWebhooks
from application.ports.faces import FaceDetector
from application.ports.idempotency import Idempotency
from application.ports.images import ImageProcessor
from application.ports.messages import Inbox
from application.ports.multipart import PartReceiver
from application.ports.storage import LinkVerifier, ObjectStorage
from application.studio.news import Newsroom
from domain.creators.training_set import TrainingPolicy
from domain.identity.actor import Actor
from entrypoints.http.app import create_app
from entrypoints.http.health import HealthCheck
from entrypoints.http.routes import (
    assets,
    files,
    generations,
    models,
    prompts,
    provider_webhooks,
    uploads,
)
from entrypoints.http.settings import HttpSettings
from tests.application.studio.world import World
from tests.http.asgi import client_of

BASE = "http://api.test"
ROUTERS = [
    assets.ROUTER,
    files.ROUTER,
    generations.ROUTER,
    models.ROUTER,
    prompts.ROUTER,
    provider_webhooks.ROUTER,
    uploads.ROUTER,
]


@dataclass(frozen=True)
class Ports:
    uow: Callable[[], PostgresUnitOfWork]
    clock: ManualClock
    ids: UuidV7Ids
    storage: ObjectStorage
    file_links: LinkVerifier
    part_receiver: PartReceiver | None
    images: ImageProcessor
    faces: FaceDetector
    training_policy: TrainingPolicy
    moderation: Moderation
    asset_views: PostgresAssetViews
    upload_views: PostgresUploadViews
    studio_views: PostgresStudioViews
    live: MemoryLive
    newsroom: Newsroom
    inbox: Inbox
    prompt_enhancer: MemoryPrompts | None
    provider_webhooks: Mapping[str, ProviderWebhooks]
    rate_limits: MemoryRateLimits
    seals: MemorySeals
    access_tokens: JwtAccessTokens = field(default_factory=lambda: JwtAccessTokens(["a secret"]))
    idempotency: Idempotency = field(default_factory=MemoryIdempotency)
    health_checks: Mapping[str, HealthCheck] = field(default_factory=dict)


class House:
    """A studio with a door. `as_fan` and `as_owner` are headers of who asks."""

    def __init__(self, world: World, ports: Ports, http: httpx.AsyncClient) -> None:
        self.world = world
        self.ports = ports
        self.http = http

    @property
    def as_fan(self) -> dict[str, str]:
        return self.signed_in(self.world.fan)

    @property
    def as_owner(self) -> dict[str, str]:
        return self.signed_in(self.world.owner)

    @property
    def fal(self) -> MemoryEngineWebhooks:
        verifier = self.ports.provider_webhooks["fal"]
        assert isinstance(verifier, MemoryEngineWebhooks)
        return verifier

    def signed_in(self, actor: Actor) -> dict[str, str]:
        token, _ = self.ports.access_tokens.issue(actor, now=self.world.clock.now())
        return {"Authorization": f"Bearer {token}"}

    async def upload(
        self, content: bytes, purpose: str = "avatar", *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.post(
            "/api/v1/assets",
            files={"file": ("picture.bin", content, "application/octet-stream")},
            data={"purpose": purpose},
            headers=self.as_fan if headers is None else headers,
        )


@asynccontextmanager
async def open_house(database_url: str, folder: Path, **terms: Any) -> AsyncIterator[House]:
    engine = open_engine(database_url, wait_s=60)  # a crowd waits longer on a busy machine
    sessions: async_sessionmaker[AsyncSession] = sessions_of(engine)
    world = await World(sessions).opened(**terms)
    links = SignedLinks(base_url=f"{BASE}/api/v1/files", secrets=[b"s" * 32], clock=world.clock)
    storage = FilesystemStorage(folder, links=links)
    world.use_storage(storage)
    ports = Ports(
        uow=world.uow,
        clock=world.clock,
        ids=world.ids,
        storage=storage,
        file_links=links,
        part_receiver=storage,
        images=world.images,
        faces=world.faces,
        training_policy=world.policy,
        moderation=world.moderation,
        asset_views=PostgresAssetViews(sessions),
        upload_views=PostgresUploadViews(sessions),
        studio_views=world.views,
        live=world.live,
        newsroom=Newsroom(feed=world.live, records=world.records, storage=storage),
        inbox=PostgresInbox(engine, clock=world.clock, ids=world.ids),
        prompt_enhancer=MemoryPrompts(),
        provider_webhooks={"fal": MemoryEngineWebhooks(clock=world.clock, provider="fal")},
        rate_limits=MemoryRateLimits(clock=world.clock),
        seals=MemorySeals(),
    )
    app = create_app(ports, HttpSettings(rate_limits=False), routers=ROUTERS)
    async with client_of(app, base_url=BASE) as http:
        yield House(world, ports, http)
    await engine.dispose()


def data_of(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]

"""The example's routes behind the real platform, over fakes of the ports, through ASGI."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from adapters.memory.idempotency import MemoryIdempotency
from adapters.memory.live import MemoryLive, MemoryLiveRecords
from adapters.memory.rate_limits import MemoryRateLimits
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import CountingIds, ManualClock
from application.ports.idempotency import Idempotency
from application.ports.rate_limits import RateLimits
from application.ports.tokens import AccessTokenExpired, AccessTokenInvalid
from application.studio.news import Newsroom
from domain.identity.actor import Actor, Role
from entrypoints.http.app import create_app
from entrypoints.http.health import HealthCheck
from entrypoints.http.settings import HttpSettings
from tests.http.asgi import client_of
from tests.http.platform.example import ROUTER, MemoryPostcards

ADA = Actor(UUID(int=0xADA), frozenset({Role.FAN}))
BEN = Actor(UUID(int=0xBE), frozenset({Role.FAN}))


class NamedTokens:
    """The token of a user is its name; `over` are those whose time is over."""

    def __init__(self) -> None:
        self._actors = {"ada": ADA, "ben": BEN, "briefly": ADA}
        self.over: set[str] = {"expired"}

    def issue(self, actor: Actor, *, now: datetime) -> tuple[str, int]:
        return next(name for name, known in self._actors.items() if known == actor), 900

    def verify(self, token: str, *, now: datetime) -> Actor:
        if token in self.over:
            raise AccessTokenExpired
        if token not in self._actors:
            raise AccessTokenInvalid
        return self._actors[token]


@dataclass(frozen=True)
class Ports:
    clock: ManualClock = field(
        default_factory=lambda: ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    )
    ids: CountingIds = field(default_factory=CountingIds)
    access_tokens: NamedTokens = field(default_factory=NamedTokens)
    idempotency: Idempotency = field(default_factory=MemoryIdempotency)
    rate_limits: RateLimits = field(default_factory=lambda: MemoryRateLimits(clock=ManualClock()))
    newsroom: Newsroom = field(
        default_factory=lambda: Newsroom(
            feed=MemoryLive(),
            records=MemoryLiveRecords(),
            storage=MemoryStorage(clock=ManualClock()),
        )
    )
    health_checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    postcards: MemoryPostcards = field(default_factory=MemoryPostcards)


@dataclass
class Api:
    """A client of the API; `as_ada` and `as_ben` send their tokens."""

    app: Litestar
    client: httpx.AsyncClient
    ports: Ports
    as_ada: Mapping[str, str] = field(default_factory=lambda: {"Authorization": "Bearer ada"})
    as_ben: Mapping[str, str] = field(default_factory=lambda: {"Authorization": "Bearer ben"})


SETTINGS = HttpSettings(idempotency_wait_s=0.3, rate_limits=False)


@asynccontextmanager
async def serving(
    *,
    ports: Ports | None = None,
    routers: list[ControllerRouterHandler] | None = None,
    client_address: str = "203.0.113.7",
    **settings: object,
) -> AsyncIterator[Api]:
    ports = ports or Ports()
    chosen = replace(SETTINGS, **settings)  # type: ignore[arg-type]
    app = create_app(ports, chosen, routers=routers or [ROUTER])
    async with client_of(app, address=client_address) as client:
        yield Api(app, client, ports)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as served:
        yield served

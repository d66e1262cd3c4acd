"""Is the process alive, and can it serve? For load balancers and supervisors.

Live means that the event loop turns. Ready means that everything the API rests on answers; a
process that is not ready keeps running and gets no requests meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hmac import compare_digest
from typing import Any, Literal

import structlog
from litestar import Response, Router, get
from litestar.connection import Request
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from entrypoints import metrics
from entrypoints.http.authentication import SignInRequired, bearer_token
from entrypoints.http.envelope import Data
from entrypoints.http.rate_limiting import UNLIMITED
from entrypoints.http.settings import HttpSettings

log = structlog.get_logger(__name__)

HealthCheck = Callable[[], Awaitable[object]]
"""Returns when the thing answers, raises when it does not."""
Refresh = Callable[[], Awaitable[None]]
"""Brings gauges up to date, before a scrape is answered."""
CHECK_TIMEOUT_S = 2.0

State = Literal["ok", "down"]


class Liveness(Struct, frozen=True):
    status: Literal["ok"] = "ok"


class Readiness(Struct, frozen=True):
    status: State
    checks: dict[str, State]


def health_router(checks: Mapping[str, HealthCheck]) -> Router:
    @get("/live", summary="Is the process alive?")
    async def live() -> Data[Liveness]:
        """Its event loop turns. A process that does not answer this is to be replaced."""
        return Data(Liveness())

    @get("/ready", summary="Can the process serve?")
    async def ready() -> Response[Data[Readiness]]:
        """What it rests on answers. With a 503 it wants no requests for now, and no replacing."""
        states = await asyncio.gather(*(_state(name, check) for name, check in checks.items()))
        status: State = "ok" if all(state == "ok" for state in states) else "down"
        readiness = Readiness(status, dict(zip(checks, states, strict=True)))
        return Response(Data(readiness), status_code=200 if status == "ok" else 503)

    return Router("/health", route_handlers=[live, ready], tags=["Health"], opt=UNLIMITED)


async def _state(name: str, check: HealthCheck) -> State:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the thing does not answer
        log.warning("health_check_failed", check=name, error=type(error).__name__)
        return "down"
    return "ok"


def metrics_route(settings: HttpSettings, gauges: Sequence[Refresh]) -> HTTPRouteHandler:
    @get("/metrics", include_in_schema=False, media_type=metrics.CONTENT_TYPE, opt=UNLIMITED)
    async def exposition(request: Request[Any, Any, Any]) -> bytes:
        if settings.metrics_token is None and settings.production:
            raise NotFoundException
        sent = (bearer_token(request.scope) or "").encode()
        if settings.metrics_token and not compare_digest(sent, settings.metrics_token.encode()):
            raise SignInRequired
        for refresh in gauges:
            await _refreshed(refresh)
        return metrics.exposition()

    return exposition


async def _refreshed(refresh: Refresh) -> None:
    """What cannot be looked up keeps its last value: the other metrics are wanted all the more."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await refresh()
    except Exception as error:  # noqa: BLE001 - whatever it is, the gauge is stale
        log.warning("gauges_not_refreshed", error=type(error).__name__)

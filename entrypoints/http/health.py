"""Is the process alive, and can it serve? For load balancers and supervisors.

Live means that the event loop turns. Ready means that everything the API rests on answers; a
process that is not ready keeps running and gets no requests meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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
        return Data(Liveness())

    @get("/ready", summary="Can the process serve?")
    async def ready() -> Response[Data[Readiness]]:
        states = await asyncio.gather(*(_state(name, check) for name, check in checks.items()))
        status: State = "ok" if all(state == "ok" for state in states) else "down"
        readiness = Readiness(status, dict(zip(checks, states, strict=True)))
        return Response(Data(readiness), status_code=200 if status == "ok" else 503)

    return Router("/health", route_handlers=[live, ready], tags=["health"], opt=UNLIMITED)


async def _state(name: str, check: HealthCheck) -> State:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever it is, the thing does not answer
        log.warning("health_check_failed", check=name, error=type(error).__name__)
        return "down"
    return "ok"


def metrics_route(settings: HttpSettings) -> HTTPRouteHandler:
    @get("/metrics", include_in_schema=False, media_type=metrics.CONTENT_TYPE, opt=UNLIMITED)
    async def exposition(request: Request[Any, Any, Any]) -> bytes:
        if settings.metrics_token is None and settings.production:
            raise NotFoundException
        sent = (bearer_token(request.scope) or "").encode()
        if settings.metrics_token and not compare_digest(sent, settings.metrics_token.encode()):
            raise SignInRequired
        return metrics.exposition()

    return exposition

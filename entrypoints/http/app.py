"""The HTTP API, assembled: from the outside in, what a request passes.

edge          id, log line, metrics, security headers      (every request, found or not)
short way     signed events of the payment provider        (all that is unusual goes on)
compression   gzip or brotli for text
CORS          by setting
routing       404 and 405
identified    whose access token it is
rate limits   429
idempotency   the kept answer, or one attempt at a time
admission     text that cannot be stored, 401, 415
route         body → command → use case → Data(result)
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler, Middleware

from entrypoints.http.admission import admitted
from entrypoints.http.authentication import identified
from entrypoints.http.compression import compressed
from entrypoints.http.dependencies import PlatformPorts, RoutesPrepared, dependencies_of
from entrypoints.http.docs import (
    CompleteDocument,
    OfflinePage,
    docs_asset,
    docs_router,
    openapi_document,
)
from entrypoints.http.edge import at_the_edge
from entrypoints.http.errors import answer_error
from entrypoints.http.health import Refresh, health_router, metrics_route
from entrypoints.http.idempotency import answered_once
from entrypoints.http.live import live_route
from entrypoints.http.live_hub import Hub
from entrypoints.http.methods import MethodsKnown
from entrypoints.http.openapi import openapi_config
from entrypoints.http.rate_limiting import rate_limited
from entrypoints.http.routes import ROUTERS
from entrypoints.http.settings import HttpSettings
from entrypoints.http.short_way import TakeIn, short_way
from entrypoints.http.text import ApiRequest

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(
    ports: PlatformPorts,
    settings: HttpSettings,
    *,
    routers: Sequence[ControllerRouterHandler] = ROUTERS,
    lifespan: Sequence[Lifespan] = (),
    gauges: Sequence[Refresh] = (),
    short_ways: Mapping[str, TakeIn] | None = None,
) -> Litestar:
    """The ASGI application over `ports`, a dataclass whose fields are what handlers may ask for.

    `lifespan` makes contexts that are entered at start and left at the end of serving; `gauges`
    are brought up to date before `/metrics` answers. `short_ways` are paths past routing.
    """
    methods = MethodsKnown()
    hub = Hub(ports.newsroom, settings.live)
    the_hub = Provide(lambda: hub, sync_to_thread=False)

    @asynccontextmanager
    async def closing_hub(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await hub.close()

    app = Litestar(
        route_handlers=[
            *routers,
            live_route(ports, hub),
            health_router(ports.health_checks),
            metrics_route(settings, gauges),
            openapi_document,
            docs_asset,
        ],
        dependencies=dependencies_of(ports) | {"live_hub": the_hub},
        middleware=[methods.layer, *_middleware(ports, settings)],
        exception_handlers={Exception: answer_error},
        plugins=[RoutesPrepared(), methods],
        request_class=ApiRequest,
        request_max_body_size=settings.max_body_bytes,
        cors_config=_cors(settings),
        openapi_config=openapi_config(
            settings, router=docs_router(), plugins=[OfflinePage(), CompleteDocument()]
        ),
        lifespan=[*lifespan, closing_hub],
        logging_config=None,
        debug=False,
    )
    inner = compressed(app.asgi_handler)
    if short_ways:
        inner = short_way(inner, short_ways, max_body_bytes=settings.max_body_bytes)
    app.asgi_handler = at_the_edge(inner, settings)
    return app


def _middleware(ports: PlatformPorts, settings: HttpSettings) -> list[Middleware]:
    layers: list[Middleware] = [
        partial(identified, tokens=ports.access_tokens, clock=ports.clock),
    ]
    if settings.rate_limits:
        layers.append(partial(rate_limited, counters=ports.rate_limits))
    layers.append(
        partial(
            answered_once,
            requests=ports.idempotency,
            clock=ports.clock,
            wait_s=settings.idempotency_wait_s,
        )
    )
    layers.append(admitted)
    return layers


def _cors(settings: HttpSettings) -> CORSConfig | None:
    """Bearer tokens only, no cookies: credentials are not allowed across origins."""
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match"],
        expose_headers=[
            "ETag",
            "Idempotent-Replayed",
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
            "X-Request-Id",
        ],
        max_age=600,
    )

"""The HTTP API of the environment's settings, made anew in each process that serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from litestar import Litestar

from entrypoints.bootstrap import Ports, build_ports
from entrypoints.gauges import (
    refresh_certificate_gauge,
    refresh_invariant_gauges,
    refresh_moderation_gauges,
    refresh_queue_gauges,
)
from entrypoints.http import app
from entrypoints.http.health import Refresh
from entrypoints.http.routes import ROUTERS
from entrypoints.http.routes.dev import dev_router
from entrypoints.http.routes.payment_webhooks import short_ways
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.settings_http import http_settings


def create_app() -> Litestar:
    """For a server that takes a factory; the ports are closed when it stops serving."""
    settings = Settings.load()
    configure_logging(json=settings.log_format == "json", level=settings.log_level, process="api")
    ports = build_ports(settings)
    routers = list(ROUTERS)
    if ports.clock_control is not None:
        routers.append(dev_router(ports.clock_control, sandbox_url=settings.sandbox_url))

    @asynccontextmanager
    async def closing(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await ports.aclose()

    return app.create_app(
        ports,
        http_settings(settings),
        routers=routers,
        lifespan=[closing],
        gauges=gauges_of(ports),
        short_ways=short_ways(ports.inbox, ports.payment_webhooks),
    )


def gauges_of(ports: Ports) -> list[Refresh]:
    """What is looked up before metrics are answered."""
    return [
        partial(refresh_queue_gauges, ports.message_views, clock=ports.clock),
        partial(refresh_invariant_gauges, ports.invariant_checks),
        partial(refresh_certificate_gauge, ports.credentials),
        partial(refresh_moderation_gauges, ports.moderation_views, clock=ports.clock),
    ]

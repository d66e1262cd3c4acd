"""The image providers of the sandbox inside the test's own loop, with webhooks kept, not sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from litestar import Litestar

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery, Notice, Sign
from entrypoints.sandbox.failures import Failures
from entrypoints.sandbox.fal.routes import create_router as create_fal
from entrypoints.sandbox.openai.routes import create_openai
from entrypoints.sandbox.replicate.routes import create_router as create_replicate

CONFIG = SandboxConfig(base_url="http://sandbox", drawing_delay_s=0.05, training_delay_s=0.1)


class KeptWebhooks(Delivery):
    """Answers nobody: what would be sent is listed as (url, body, sign)."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, bytes, Sign]] = []

    def send(
        self, url: str, body: bytes, sign: Sign, *, channel: str, label: str = ""
    ) -> Notice | None:
        if url:
            self.kept.append((url, body, sign))
        return None


class ImageProviders:
    def __init__(self) -> None:
        self.webhooks = KeptWebhooks()
        self.failures = Failures()
        parts = (CONFIG, self.webhooks, self.failures)
        app = Litestar(
            [
                create_fal(*parts),
                create_replicate(*parts, SandboxClock()),
                create_openai(CONFIG, self.failures),
            ],
            logging_config=None,
            openapi_config=None,
        )
        self.transport = httpx.ASGITransport(cast("Any", app))


@asynccontextmanager
async def client_of(
    providers: ImageProviders, authorization: str
) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=providers.transport,
        base_url="http://sandbox",
        headers={"Authorization": authorization},
    ) as client:
        yield client

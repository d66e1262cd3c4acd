"""Callbacks of the image providers: verified, kept, answered; understood later, by a worker."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, post
from litestar.params import QueryParameter

from application.ports.webhooks import SignatureRefused
from domain.shared.errors import NotFound
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.parameters import (
    TheInbox,
    TheProviderWebhooks,
)
from entrypoints.http.rate_limiting import UNLIMITED
from entrypoints.http.routes.received import Received

MAX_BODY_BYTES = 4 * 1024 * 1024


@post(
    ["/fal", "/replicate"],
    status_code=200,
    request_max_body_size=MAX_BODY_BYTES,
    opt=UNLIMITED,
    responses=errors(SignatureRefused),
)
async def receive(
    request: Request[Any, Any, Any],
    provider_webhooks: TheProviderWebhooks,
    inbox: TheInbox,
    attempt: Annotated[
        UUID | None, QueryParameter(description="Which attempt it is about.")
    ] = None,
) -> Data[Received]:
    """For fal and Replicate. 503 asks them to call back again."""
    name = request.url.path.rstrip("/").rpartition("/")[2]
    verifier = provider_webhooks.get(name)
    if verifier is None:
        raise NotFound("provider", name)
    callback = await verifier.verify(dict(request.headers), await request.body())
    if callback.attempt_id is None:
        callback = msgspec.structs.replace(callback, attempt_id=attempt)
    new = await inbox.receive(
        source=callback.source,
        external_id=callback.external_id,
        kind=callback.job.status,
        payload=msgspec.json.encode(callback),
    )
    return Data(Received(received=True, duplicate=not new))


ROUTER = Router("/api/v1/webhooks", route_handlers=[receive], tags=["Provider webhooks"])

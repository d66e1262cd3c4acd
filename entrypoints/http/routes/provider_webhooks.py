"""Callbacks of the image providers: verified, kept, answered; understood later, by a worker."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from application.ports.generation import ProviderWebhooks
from application.ports.messages import Inbox
from application.ports.webhooks import SignatureRefused
from domain.shared.errors import NotFound
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors

MAX_BODY_BYTES = 4 * 1024 * 1024


class Received(msgspec.Struct, frozen=True):
    """`new` is false for a callback that was there already."""

    new: bool


@post(
    ["/fal", "/replicate"],
    status_code=200,
    request_max_body_size=MAX_BODY_BYTES,
    responses=errors(SignatureRefused),
)
async def receive(
    request: Request[Any, Any, Any],
    provider_webhooks: NamedDependency[SkipValidation[Mapping[str, ProviderWebhooks]]],
    inbox: NamedDependency[SkipValidation[Inbox]],
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
    return Data(Received(new))


ROUTER = Router("/api/v1/webhooks", route_handlers=[receive], tags=["Webhooks"])

"""Where the payment provider tells us things: verify, keep, answer. Nothing else happens here."""

from typing import Any, Literal

from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from application.ports.messages import Inbox
from application.ports.payments import PaymentWebhooks
from application.ports.webhooks import SignatureRefused
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.rate_limiting import UNLIMITED
from entrypoints.http.routes.received import Received

TheInbox = NamedDependency[SkipValidation[Inbox]]
TheWebhooks = NamedDependency[SkipValidation[PaymentWebhooks]]


@post("/stripe", status_code=200, opt=UNLIMITED, responses=errors(SignatureRefused))
async def stripe(
    request: Request[Any, Any, Any], inbox: TheInbox, payment_webhooks: TheWebhooks
) -> Data[Received]:
    """Events of the platform's own Stripe account."""
    return await _receive(request, inbox, payment_webhooks, "platform")


@post("/stripe-connect", status_code=200, opt=UNLIMITED, responses=errors(SignatureRefused))
async def stripe_connect(
    request: Request[Any, Any, Any], inbox: TheInbox, payment_webhooks: TheWebhooks
) -> Data[Received]:
    """Events of the connected accounts."""
    return await _receive(request, inbox, payment_webhooks, "connect")


async def _receive(
    request: Request[Any, Any, Any],
    inbox: Inbox,
    webhooks: PaymentWebhooks,
    endpoint: Literal["platform", "connect"],
) -> Data[Received]:
    event = webhooks.verify(request.headers, await request.body(), endpoint=endpoint)
    new = await inbox.receive(
        source=event.source,
        external_id=event.external_id,
        kind=event.kind,
        payload=event.payload,
    )
    return Data(Received(received=True, duplicate=not new))


ROUTER = Router(
    "/api/v1/webhooks", route_handlers=[stripe, stripe_connect], tags=["Provider webhooks"]
)

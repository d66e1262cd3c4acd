"""Where the payment provider tells us things: verify, keep, answer. Nothing else happens here."""

from collections.abc import Mapping
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
from entrypoints.http.short_way import TakeIn

TheInbox = NamedDependency[SkipValidation[Inbox]]
TheWebhooks = NamedDependency[SkipValidation[PaymentWebhooks]]


@post("/stripe", status_code=200, opt=UNLIMITED, responses=errors(SignatureRefused))
async def stripe(
    request: Request[Any, Any, Any], inbox: TheInbox, payment_webhooks: TheWebhooks
) -> Data[Received]:
    """Events of the platform's own Stripe account."""
    take_in = taking_in("platform", inbox=inbox, webhooks=payment_webhooks)
    return Data(await take_in(request.headers, await request.body()))


@post("/stripe-connect", status_code=200, opt=UNLIMITED, responses=errors(SignatureRefused))
async def stripe_connect(
    request: Request[Any, Any, Any], inbox: TheInbox, payment_webhooks: TheWebhooks
) -> Data[Received]:
    """Events of the connected accounts."""
    take_in = taking_in("connect", inbox=inbox, webhooks=payment_webhooks)
    return Data(await take_in(request.headers, await request.body()))


def taking_in(
    endpoint: Literal["platform", "connect"], *, inbox: Inbox, webhooks: PaymentWebhooks
) -> TakeIn:
    """What both endpoints do with a request."""

    async def take_in(headers: Mapping[str, str], body: bytes) -> Received:
        event = webhooks.verify(headers, body, endpoint=endpoint)
        new = await inbox.receive(
            source=event.source,
            external_id=event.external_id,
            kind=event.kind,
            payload=event.payload,
        )
        return Received(received=True, duplicate=not new)

    return take_in


PREFIX = "/api/v1/webhooks"
ROUTER = Router(PREFIX, route_handlers=[stripe, stripe_connect], tags=["Provider webhooks"])


def short_ways(inbox: Inbox, webhooks: PaymentWebhooks) -> Mapping[str, TakeIn]:
    """The same, by path, for events that need no routing."""
    return {
        f"{PREFIX}/stripe": taking_in("platform", inbox=inbox, webhooks=webhooks),
        f"{PREFIX}/stripe-connect": taking_in("connect", inbox=inbox, webhooks=webhooks),
    }

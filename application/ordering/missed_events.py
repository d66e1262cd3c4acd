"""Fetch the events that the payment provider could not deliver, as if it had."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.messages import Inbox
from application.ports.payments import PaymentWebhooks

LOOK_BACK = timedelta(days=3)
"""As long as the provider itself keeps trying."""


async def sweep_missed_events(
    *, webhooks: PaymentWebhooks, inbox: Inbox, clock: Clock, look_back: timedelta = LOOK_BACK
) -> int:
    """Put undelivered events into the inbox; answers how many were new there."""
    new = 0
    async for page in webhooks.undelivered(since=clock.now() - look_back):
        for event in page:
            new += await inbox.receive(
                source=event.source,
                external_id=event.external_id,
                kind=event.kind,
                payload=event.payload,
            )
    return new

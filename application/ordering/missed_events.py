"""Fetch the events that the payment provider could not deliver, as if it had.

It tries for three days, and an event may count as undelivered only then; so each sweep looks that
far behind the one before it. After a long stop, or when the clock was moved, it looks back to
where the last one got, as far as the provider remembers.
"""

from datetime import datetime, timedelta

from application.ports.clock import Clock
from application.ports.messages import Inbox
from application.ports.payments import PaymentWebhooks
from application.ports.sweeps import SweepCursors

SWEEP = "missed-events"
LOOK_BACK = timedelta(days=3)
"""As long as the provider itself keeps trying."""
REMEMBERED = timedelta(days=30)
"""As long as the provider keeps events."""


async def sweep_missed_events(
    *, webhooks: PaymentWebhooks, inbox: Inbox, cursors: SweepCursors, clock: Clock
) -> int:
    """Put undelivered events into the inbox; answers how many were new there.

    The cursor moves when all of them are there, so that a sweep that fails is made again whole.
    Raises Unavailable.
    """
    now = clock.now()
    reached = await cursors.reached(SWEEP)
    new = 0
    async for page in webhooks.undelivered(since=_since(reached, now)):
        for event in page:
            new += await inbox.receive(
                source=event.source,
                external_id=event.external_id,
                kind=event.kind,
                payload=event.payload,
            )
    await cursors.reach(SWEEP, now)
    return new


def _since(reached: datetime | None, now: datetime) -> datetime:
    if reached is None:
        return now - REMEMBERED
    return max(min(reached, now) - LOOK_BACK, now - REMEMBERED)

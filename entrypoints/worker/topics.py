"""Which handler takes which messages: the one table that relay and worker share."""

from functools import partial

from application.ledger.payouts import handle_payout_events
from application.ordering.payment_events import handle_payment_events
from application.reporting.export_making import (
    ERASE_EXPORT,
    MAKE_EXPORT,
    EraseExport,
    MakeExport,
    erase_export,
    make_export,
)
from application.studio.completion import handle_provider_callbacks
from entrypoints.bootstrap import Ports
from entrypoints.worker.each import each
from entrypoints.worker.topic import PROVIDER_CALL, WHOLE_LEDGER, Topic, Topics
from entrypoints.worker.topics_money import billing, invoices, payments, payouts, reconciliation
from entrypoints.worker.topics_studio import licensing, media, studio


def topics(ports: Ports) -> Topics:
    """By name; the name of an inbox topic is its source."""
    return {
        **_inbox(ports),
        **payments(ports),
        **billing(ports),
        **reconciliation(ports),
        **payouts(ports),
        **studio(ports),
        **media(ports),
        **licensing(ports),
        **invoices(ports),
        **_exports(ports),
    }


def _inbox(ports: Ports) -> Topics:
    payment_events = partial(
        handle_payment_events,
        new_uow=ports.uow,
        webhooks=ports.payment_webhooks,
        clock=ports.clock,
        ids=ports.ids,
        hold=ports.hold,
    )
    payout_events = partial(
        handle_payout_events,
        new_uow=ports.uow,
        webhooks=ports.payout_webhooks,
        rails=ports.payout_rails,
        clock=ports.clock,
    )
    callbacks = partial(handle_provider_callbacks, workshop=ports.workshop)
    return {
        "stripe": Topic(handle=payment_events, queue="webhooks", box="inbox", batch_size=100),
        "stripe-connect": Topic(
            handle=payment_events, queue="webhooks", box="inbox", batch_size=100
        ),
        "payout": Topic(
            handle=payout_events,
            queue="webhooks",
            box="inbox",
            batch_size=10,
            lease=PROVIDER_CALL,
        ),
        "fal": Topic(handle=callbacks, queue="webhooks", box="inbox", batch_size=20),
        "replicate": Topic(handle=callbacks, queue="webhooks", box="inbox", batch_size=20),
    }


def _exports(ports: Ports) -> Topics:
    async def make(body: MakeExport) -> None:
        await make_export(body, books=ports.export_books, storage=ports.storage, clock=ports.clock)

    async def erase(body: EraseExport) -> None:
        await erase_export(body.export_id, storage=ports.storage)

    return {
        MAKE_EXPORT: Topic(
            handle=each(MakeExport, make), batch_size=1, in_flight=2, lease=WHOLE_LEDGER
        ),
        ERASE_EXPORT: Topic(handle=each(EraseExport, erase), batch_size=5, lease=PROVIDER_CALL),
    }

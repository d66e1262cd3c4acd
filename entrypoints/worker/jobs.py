"""What runs again and again, and how often."""

from datetime import datetime, timedelta
from functools import partial

from application.billing.comparing import sweep_customers
from application.billing.purchases import sweep_purchases
from application.billing.subscriptions import sweep_subscriptions
from application.identity.purging import purge_sessions
from application.ledger.closing import close_books
from application.ledger.daily_payouts import pay_today
from application.ledger.payees import sweep_accounts
from application.ledger.payouts import sweep_payouts
from application.ledger.reconciliation import plan_reconciliations
from application.ledger.releases import plan_transfers, release_due_earnings
from application.licensing.approvals import expire_approvals
from application.media.orphans import sweep_orphans
from application.media.uploads import expire_uploads
from application.messaging.purging import purge_done_messages
from application.ordering.completion import sweep_checkouts
from application.ordering.missed_events import sweep_missed_events
from application.reporting.export_jobs import expire_exports
from application.studio.credits import lapse_grants, release_abandoned
from application.studio.dispatching import give_turns
from application.studio.library.community import forget_old_uses
from application.studio.library.presets import ship_presets
from application.studio.polling import poll_stale_attempts, sweep_training_archives
from application.studio.telling import purge_live_events
from domain.studio.step import WORK_LIFE
from entrypoints.bootstrap import Ports
from entrypoints.settings import Settings
from entrypoints.worker.books import keep_months, watch_all_books, watch_invariants
from entrypoints.worker.scheduler import Job


def jobs(ports: Ports, settings: Settings) -> list[Job]:
    retention = timedelta(days=settings.message_retention_days)
    return [
        Job(
            name="release-earnings",
            every=timedelta(seconds=settings.release_every_s),
            run=lambda: _release(ports),
        ),
        Job(
            name="pay-the-day",  # asks whether today, which begins at 00:00 UTC, is paid
            every=timedelta(minutes=1),
            run=lambda: pay_today(
                new_uow=ports.uow,
                views=ports.payout_views,
                days=ports.payout_days,
                policy=ports.payout_policy,
                clock=ports.clock,
                ids=ports.ids,
            ),
        ),
        Job(
            name="ask-about-payouts",
            every=timedelta(minutes=5),
            run=lambda: sweep_payouts(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="reconcile-checkouts",
            every=timedelta(seconds=30),
            run=lambda: sweep_checkouts(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="ask-about-billing",
            every=timedelta(minutes=1),
            run=lambda: _ask_about_billing(ports),
        ),
        Job(
            name="release-abandoned-credits",
            every=timedelta(minutes=10),
            run=lambda: release_abandoned(new_uow=ports.uow, clock=ports.clock),
        ),
        Job(
            name="lapse-daily-credits",
            every=timedelta(minutes=10),
            run=lambda: lapse_grants(new_uow=ports.uow, clock=ports.clock),
        ),
        Job(
            name="fetch-missed-events",
            every=timedelta(seconds=settings.missed_events_every_s),
            run=lambda: sweep_missed_events(
                webhooks=ports.payment_webhooks,
                inbox=ports.inbox,
                cursors=ports.sweep_cursors,
                clock=ports.clock,
            ),
        ),
        Job(
            name="refresh-accounts",
            every=timedelta(minutes=10),
            run=lambda: sweep_accounts(
                uow=ports.uow(), accounts=ports.payee_accounts, clock=ports.clock
            ),
        ),
        Job(
            name="poll-image-providers",
            every=timedelta(seconds=10),
            run=lambda: poll_stale_attempts(workshop=ports.workshop),
        ),
        Job(
            name="give-turns",  # whatever asked for one does so too; this is for what got lost
            every=timedelta(seconds=5),
            run=lambda: give_turns(workshop=ports.workshop),
        ),
        Job(
            name="expire-approvals",
            every=timedelta(minutes=1),
            run=lambda: expire_approvals(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="erase-training-archives",
            every=timedelta(hours=6),
            run=lambda: sweep_training_archives(workshop=ports.workshop),
        ),
        Job(
            name="ship-presets",
            every=timedelta(days=1),
            run=lambda: ship_presets(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="forget-uses",
            every=timedelta(days=1),
            run=lambda: forget_old_uses(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="expire-uploads",
            every=timedelta(minutes=10),
            run=lambda: expire_uploads(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="erase-orphaned-files",
            every=timedelta(days=1),
            run=lambda: sweep_orphans(
                storage=ports.storage,
                kept={
                    "assets/": ports.asset_views.keys_of,
                    "quarantine/": ports.upload_views.keys_of,
                    "models/": ports.studio_views.weights_kept,
                    "work/": partial(ports.studio_views.work_kept, ended_after=_resumable(ports)),
                    "answers/": partial(
                        ports.studio_views.answers_kept, ended_after=_resumable(ports)
                    ),
                },
                clock=ports.clock,
            ),
        ),
        Job(
            name="remove-expired-exports",
            every=timedelta(minutes=10),
            run=lambda: expire_exports(uow=ports.uow(), clock=ports.clock),
        ),
        Job(
            name="purge-messages",
            every=timedelta(hours=1),
            run=lambda: purge_done_messages(
                retention=retention, messages=ports.messages, clock=ports.clock
            ),
        ),
        Job(
            name="purge-live-events",
            every=timedelta(hours=1),
            run=lambda: purge_live_events(
                retention=timedelta(days=settings.live_event_retention_days),
                events=ports.event_purge,
                clock=ports.clock,
            ),
        ),
        Job(
            name="purge-idempotency-keys",
            every=timedelta(minutes=10),
            run=lambda: ports.idempotency.purge(now=ports.clock.now()),
        ),
        Job(
            name="purge-sessions",
            every=timedelta(hours=6),
            run=lambda: purge_sessions(sessions=ports.session_purge, clock=ports.clock),
        ),
        Job(
            name="check-invariants",
            every=timedelta(minutes=15),
            run=lambda: watch_invariants(
                ports.ledger_views, checks=ports.invariant_checks, clock=ports.clock
            ),
        ),
        Job(
            name="prove-books",  # asks whether all books were proved since three in the morning
            every=timedelta(minutes=10),
            run=lambda: watch_all_books(
                ports.ledger_views, checks=ports.invariant_checks, clock=ports.clock
            ),
        ),
        Job(
            name="make-ledger-months",
            every=timedelta(hours=1),
            run=lambda: keep_months(ports.ledger_upkeep, clock=ports.clock),
        ),
        Job(
            name="reconcile-provider",
            every=timedelta(hours=1),
            run=lambda: plan_reconciliations(uow=ports.uow(), clock=ports.clock, ids=ports.ids),
        ),
        Job(
            name="close-books",
            every=timedelta(hours=1),
            run=lambda: close_books(
                upkeep=ports.ledger_upkeep, views=ports.ledger_views, clock=ports.clock
            ),
        ),
    ]


def _resumable(ports: Ports) -> datetime:
    """What ended before then is not gone on with."""
    return ports.clock.now() - WORK_LIFE


async def _ask_about_billing(ports: Ports) -> None:
    await sweep_purchases(uow=ports.uow(), clock=ports.clock)
    await sweep_subscriptions(uow=ports.uow(), clock=ports.clock)
    await sweep_customers(uow=ports.uow(), clock=ports.clock)


async def _release(ports: Ports) -> None:
    """All that is due, batch by batch: each is a short transaction."""
    while await release_due_earnings(uow=ports.uow(), clock=ports.clock):
        pass
    while await plan_transfers(uow=ports.uow(), clock=ports.clock, ids=ports.ids):
        pass

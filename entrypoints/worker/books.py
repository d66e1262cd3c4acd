"""The books are proved while the shop is open, and a breach is told where operators look."""

import structlog

from application.ledger.closing import make_months
from application.ledger.invariants import check_invariants, prove_nightly
from application.ledger.verification import LedgerReport, verify_recent
from application.ports.clock import Clock
from application.ports.invariants import InvariantChecks
from application.ports.ledger_upkeep import LedgerUpkeep
from application.ports.ledger_views import LedgerViews
from entrypoints.metrics import LEDGER_BREACHES, LEDGER_UNPLACED

_log = structlog.get_logger("likeness.books")


async def watch_books(views: LedgerViews) -> LedgerReport:
    """What is recent. Each breach is an error in the log; the gauge `ledger_breaches` counts."""
    report = await verify_recent(views)
    _tell(report, books="recent")
    return report


async def watch_all_books(views: LedgerViews, *, checks: InvariantChecks, clock: Clock) -> None:
    """Once a night all books are proved, and told in the same way."""
    if report := await prove_nightly(views, checks=checks, clock=clock):
        _tell(report, books="all")


def _tell(report: LedgerReport, *, books: str) -> None:
    LEDGER_BREACHES.labels(books).set(report.breach_count)
    for breach in report.breaches:
        _log.error(
            "ledger breach", rule=breach.rule, subject=breach.subject, message=breach.message
        )


async def watch_invariants(views: LedgerViews, *, checks: InvariantChecks, clock: Clock) -> None:
    """The recent books are proved and everything else that must hold is asked; what does not is
    an error in the log, and the gauges `invariant_breaches` show it."""
    report = await watch_books(views)
    for result in await check_invariants(report, checks=checks, clock=clock):
        if not result.holds:
            _log.error(
                "invariant broken",
                invariant=str(result.name),
                count=result.count,
                oldest_age_s=result.oldest_age_s,
                subjects=[violation.subject for violation in result.violations[:5]],
            )


async def keep_months(upkeep: LedgerUpkeep, *, clock: Clock) -> None:
    """Entries that had found no month of theirs are told: the months were made too late."""
    made = await make_months(upkeep=upkeep, clock=clock)
    if made.unplaced:
        LEDGER_UNPLACED.inc(made.unplaced)
        _log.error("ledger months were late", entries=made.unplaced, months=made.months)

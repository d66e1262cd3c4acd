"""Ask whether all that must hold does hold; whatever does not needs a person.

Each check answers what breaks it, with its age. Limits leave room for what retries by itself:
what is named here has had its chances.

The books are proved twice: what is recent with every check, all of them every night. What the
night found stands until all of them are proved again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from application.ledger.verification import Breach, LedgerReport, verify_ledger
from application.ports.clock import Clock
from application.ports.invariants import (
    MOST_COUNTED,
    MOST_NAMED,
    CheckResult,
    Invariant,
    InvariantChecks,
    Violation,
)
from application.ports.ledger_views import LedgerViews
from domain.identity.actor import Actor, Role

NIGHTLY_AT = timedelta(hours=3)
"""After midnight (UTC): the day before is closed and sealed by then."""

_PROVED = (Invariant.LEDGER_SUMS, Invariant.KEPT_BALANCES)


async def check_invariants(
    report: LedgerReport, *, checks: InvariantChecks, clock: Clock
) -> list[CheckResult]:
    """Check everything and keep the results. `report` is a proof made just now; whether all books
    are proved is kept by `keep_proof`."""
    now = clock.now()
    results = [
        _result(invariant, await _violations(invariant, report, checks, now), now)
        for invariant in Invariant
        if invariant is not Invariant.BOOKS_PROVED
    ]
    await checks.keep(results)
    return results


async def prove_nightly(
    views: LedgerViews, *, checks: InvariantChecks, clock: Clock
) -> LedgerReport | None:
    """Prove all books, unless that was done since three in the morning. Asked all day, so that a
    night without a scheduler is made up for."""
    due = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + NIGHTLY_AT
    if clock.now() < due:
        due -= timedelta(days=1)
    for last in await checks.latest():
        if last.name is Invariant.BOOKS_PROVED and last.checked_at >= due:
            return None
    report = await verify_ledger(views)
    await keep_proof(report, checks=checks, clock=clock)
    return report


async def keep_proof(report: LedgerReport, *, checks: InvariantChecks, clock: Clock) -> CheckResult:
    """What a proof of all books found stands until the next one."""
    result = _result(Invariant.BOOKS_PROVED, _told(report.breaches), clock.now())
    await checks.keep([result])
    return result


async def _violations(
    invariant: Invariant, report: LedgerReport, checks: InvariantChecks, now: datetime
) -> Sequence[Violation]:
    if invariant not in _PROVED:
        return await checks.violations(invariant, now=now)
    return _told(
        breach
        for breach in report.breaches
        if (breach.rule == "kept_balance") is (invariant is Invariant.KEPT_BALANCES)
    )


def _told(breaches: Iterable[Breach]) -> list[Violation]:
    return [
        Violation(subject=breach.subject, detail=f"{breach.rule}: {breach.message}")
        for breach in islice(breaches, MOST_COUNTED)
    ]


def _result(invariant: Invariant, found: Sequence[Violation], now: datetime) -> CheckResult:
    since = [violation.since for violation in found if violation.since is not None]
    return CheckResult(
        name=invariant,
        holds=not found,
        count=len(found),
        oldest_age_s=max((now - min(since)).total_seconds(), 0.0) if since else None,
        violations=list(found[:MOST_NAMED]),
        checked_at=now,
    )


async def show_invariants(*, actor: Actor, checks: InvariantChecks) -> list[CheckResult]:
    """What the last check found. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    return await checks.latest()

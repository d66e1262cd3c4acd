"""Ask whether all that must hold does hold; whatever does not needs a person.

Each check answers what breaks it, with its age. Limits leave room for what retries by itself:
what is named here has had its chances.
"""

from collections.abc import Sequence
from datetime import datetime

from application.ledger.verification import LedgerReport
from application.ports.clock import Clock
from application.ports.invariants import (
    MOST_COUNTED,
    MOST_NAMED,
    CheckResult,
    Invariant,
    InvariantChecks,
    Violation,
)
from domain.identity.actor import Actor, Role

_PROVED = (Invariant.LEDGER_SUMS, Invariant.KEPT_BALANCES)


async def check_invariants(
    report: LedgerReport, *, checks: InvariantChecks, clock: Clock
) -> list[CheckResult]:
    """Check everything and keep the results. `report` is a proof of the books made just now."""
    now = clock.now()
    results = [
        _result(invariant, await _violations(invariant, report, checks, now), now)
        for invariant in Invariant
    ]
    await checks.keep(results)
    return results


async def _violations(
    invariant: Invariant, report: LedgerReport, checks: InvariantChecks, now: datetime
) -> Sequence[Violation]:
    if invariant not in _PROVED:
        return await checks.violations(invariant, now=now)
    return [
        Violation(subject=breach.subject, detail=f"{breach.rule}: {breach.message}")
        for breach in report.breaches[:MOST_COUNTED]
        if (breach.rule == "kept_balance") is (invariant is Invariant.KEPT_BALANCES)
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

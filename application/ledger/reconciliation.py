"""Hold the provider's balance against the books, day by day, both ways.

A run copies what the provider moved, looks for each movement in the books and for each booked
effect in the copy, and looks again at what was open before. It goes a batch at a time, each in a
short transaction with the cursor, so that it is continued wherever it was left, by anybody, and
repeated as often as one likes: a difference is kept once for what it is about.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.reconciliation import (
    DifferenceRecord,
    ReconciliationViews,
    RunRecord,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger.reconciliation import (
    GRACE,
    DifferenceState,
    Phase,
    ReconciliationRun,
)
from domain.shared.errors import Invalid

RECONCILE_DAY = "ledger.reconcile_day"
MOST_DAYS = 31


class ReconcileDay(msgspec.Struct, frozen=True, kw_only=True):
    day: date


class AskReconciliation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day in UTC; without one, yesterday."""

    day: date | None = None


class Explain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    explanation: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    day: date
    phase: Phase
    attempt: int
    started_at: datetime
    finished_at: datetime | None


class DayInvalid(Invalid):
    """A day that has not begun cannot be reconciled."""

    code = "day_invalid"


async def ask_reconciliation(
    command: AskReconciliation, *, actor: Actor, uow: UnitOfWork, clock: Clock, ids: Ids
) -> RunView:
    """Begin a day's run, or begin it anew when it is done. Raises RoleRequired, DayInvalid."""
    actor.require(Role.ADMIN)
    day = command.day or clock.now().date() - timedelta(days=1)
    return await begin_reconciliation(
        day, actor=actor, uow=uow, clock=clock, ids=ids, by_message=True
    )


async def begin_reconciliation(
    day: date,
    *,
    actor: Actor | str,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    by_message: bool = False,
) -> RunView:
    """The run of a day, at its beginning unless it is under way. Raises DayInvalid.

    `by_message`: a worker carries it out; otherwise the caller does.
    """
    if day > clock.now().date():
        raise DayInvalid("The day has not begun.", fields={"day": ["lies in the future"]})
    async with uow:
        run = await _begin(day, uow=uow, clock=clock, ids=ids)
        if by_message:
            uow.outbox.add(RECONCILE_DAY, ReconcileDay(day=day))
        uow.audit.record(
            "reconciliation.asked", actor=actor, on=("reconciliation", run.id), after={"day": day}
        )
        await uow.commit()
    return view_of(run)


async def plan_reconciliations(*, uow: UnitOfWork, clock: Clock, ids: Ids) -> int:
    """Begin the runs of all days that are over and were not compared since; answers how many."""
    now = clock.now()
    async with uow:
        last_day = (now - GRACE).date() - timedelta(days=1)
        latest = await uow.reconciliations.latest()
        first_day = max(
            latest.day if latest else last_day, last_day - timedelta(days=MOST_DAYS - 1)
        )
        planned = 0
        for number in range((last_day - first_day).days + 1):
            day = first_day + timedelta(days=number)
            run = await uow.reconciliations.of_day(day, lock=True)
            if run and (run.phase is not Phase.DONE or run.knows_all_of_its_day(day_end=_end(day))):
                continue
            run = await _begin(day, uow=uow, clock=clock, ids=ids)
            uow.outbox.add(RECONCILE_DAY, ReconcileDay(day=day), key=f"{day}:{run.attempt}")
            planned += 1
        await uow.commit()
    return planned


async def _begin(day: date, *, uow: UnitOfWork, clock: Clock, ids: Ids) -> ReconciliationRun:
    run = await uow.reconciliations.of_day(day, lock=True)
    if run is None:
        run = ReconciliationRun(id=ids.new(), day=day, started_at=clock.now())
        uow.reconciliations.add(run)
    else:
        run.restart(at=clock.now())
    return run


async def explain_difference(
    difference_id: UUID, command: Explain, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    """A person says why a difference is right as it is. Raises RoleRequired, NotFound,
    AlreadyResolved."""
    actor.require(Role.ADMIN)
    async with uow:
        difference = await uow.differences.get(difference_id, lock=True)
        before = {"state": difference.state, "explanation": difference.explanation}
        difference.explain(command.explanation, by=actor.user_id, at=clock.now())
        uow.audit.record(
            "difference.explained",
            actor=actor,
            on=("difference", difference.id),
            before=before,
            after={"state": difference.state, "explanation": difference.explanation},
        )
        await uow.commit()


def view_of(run: ReconciliationRun) -> RunView:
    return RunView(
        id=run.id,
        day=run.day,
        phase=run.phase,
        attempt=run.attempt,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


async def list_runs(
    *, before: date | None, limit: int, actor: Actor, views: ReconciliationViews
) -> list[RunRecord]:
    """The latest day first. Raises RoleRequired."""
    actor.require(Role.ADMIN)
    return await views.runs(before=before, limit=limit)


async def list_differences(
    run_id: UUID,
    *,
    state: DifferenceState | None,
    after: UUID | None,
    limit: int,
    actor: Actor,
    views: ReconciliationViews,
) -> list[DifferenceRecord]:
    """Those that the run saw first. Raises RoleRequired, NotFound."""
    actor.require(Role.ADMIN)
    await views.run(run_id)
    return await views.differences(run_id, state=state, after=after, limit=limit)

"""Hold the provider's balance against the books, day by day, both ways.

A run copies what the provider moved, looks for each movement in the books and for each booked
effect in the copy, and looks again at what was open before. It goes a batch at a time, each in a
short transaction with the cursor, so that it is continued wherever it was left, by anybody, and
repeated as often as one likes: a difference is kept once for what it is about.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.provider_books import ProviderBooks
from application.ports.reconciliation import (
    Comparison,
    DifferenceRecord,
    ReconciliationViews,
    RunRecord,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger.reconciliation import (
    GRACE,
    Booked,
    Difference,
    DifferenceState,
    Finding,
    Moved,
    Phase,
    ReconciliationRun,
    Subject,
    TooYoung,
    compare,
)
from domain.shared.errors import Invalid

RECONCILE_DAY = "ledger.reconcile_day"
LOOK_BACK = timedelta(days=3)
"""So much later the books may learn of a movement: as long as the provider tells of it."""
MOST_DAYS = 31
_BATCH = 500

Progress = Callable[[ReconciliationRun], None]


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


async def reconcile_day(
    day: date,
    *,
    new_uow: Callable[[], UnitOfWork],
    books: ProviderBooks,
    comparison: Comparison,
    clock: Clock,
    ids: Ids,
    progress: Progress = lambda run: None,
) -> None:
    """Continue the run of a day to its end; without one, or with one that is done, do nothing.

    Raises Unavailable, and RunMovedOn when somebody else continues it as well.
    """
    work = _Work(new_uow, books, comparison, clock, ids, progress)
    while (run := await work.run_of(day)) is not None and run.phase is not Phase.DONE:
        match run.phase:
            case Phase.FETCH:
                await work.fetch(run)
            case Phase.THEIRS:
                await work.look_at_theirs(run)
            case Phase.OURS:
                await work.look_at_ours(run)
            case Phase.OPEN:
                await work.look_again(run)


class _Work(msgspec.Struct, frozen=True):
    """The ports of a run, and a method for each of its phases."""

    new_uow: Callable[[], UnitOfWork]
    books: ProviderBooks
    comparison: Comparison
    clock: Clock
    ids: Ids
    progress: Progress

    async def run_of(self, day: date) -> ReconciliationRun | None:
        async with (uow := self.new_uow()):
            return await uow.reconciliations.of_day(day)

    async def fetch(self, run: ReconciliationRun) -> None:
        """To this moment, by whichever clock: what the day booked may have moved after midnight."""
        async with (uow := self.new_uow()):
            before = await uow.reconciliations.of_day(run.day - timedelta(days=1))
        known = before is not None and before.knows_all_of_its_day(day_end=_start(run.day))
        since = _start(run.day) - (GRACE if known else LOOK_BACK)
        until = self.clock.now() + GRACE
        seen = (run.phase, run.cursor)
        async for page in self.books.movements(since=since, until=until, after=run.cursor):
            async with (uow := self.new_uow()):
                await uow.provider_movements.keep(page.moved)
                seen = await self._advance(run, uow, seen=seen, cursor=page.cursor)
                await uow.commit()
        async with (uow := self.new_uow()):
            await self._advance(run, uow, seen=seen, cursor=None)
            await uow.commit()

    async def look_at_theirs(self, run: ReconciliationRun) -> None:
        moved, cursor = await self.comparison.theirs_of_day(run.day, after=run.cursor, limit=_BATCH)
        await self._judge(run, moved, cursor=cursor, their_count=len(moved))

    async def look_at_ours(self, run: ReconciliationRun) -> None:
        booked, cursor = await self.comparison.ours_of_day(run.day, after=run.cursor, limit=_BATCH)
        await self._judge(run, booked, cursor=cursor, our_count=len(booked))

    async def _judge(
        self,
        run: ReconciliationRun,
        sides: Sequence[Moved | Booked],
        *,
        cursor: str | None,
        their_count: int = 0,
        our_count: int = 0,
    ) -> None:
        subjects = list(dict.fromkeys(side.subject for side in sides))
        judged = await self._compared(subjects)
        findings = {f.subject: f for f in judged if isinstance(f, Finding)}
        now = self.clock.now()
        async with (uow := self.new_uow()):
            known = {one.subject: one for one in await uow.differences.about(findings.keys())}
            for subject, finding in findings.items():
                if subject in known:
                    known[subject].seen_again(finding, at=now)
                else:
                    uow.differences.add(
                        Difference.of(finding, difference_id=self.ids.new(), run_id=run.id, at=now)
                    )
            await self._advance(
                run,
                uow,
                seen=(run.phase, run.cursor),
                cursor=cursor,
                their_count=their_count,
                our_count=our_count,
                pending_count=sum(isinstance(one, TooYoung) for one in judged),
            )
            await uow.commit()

    async def look_again(self, run: ReconciliationRun) -> None:
        """What both sides agree on by now is resolved; an explanation for it is not needed."""
        after = UUID(run.cursor) if run.cursor else None
        async with (uow := self.new_uow()):
            unresolved = await uow.differences.unresolved(after=after, limit=_BATCH)
        subjects = [one.subject for one in unresolved]
        judged = await self._compared(subjects)
        agreed = set(subjects) - {one.subject for one in judged}
        cursor = str(unresolved[-1].id) if len(unresolved) == _BATCH else None
        async with (uow := self.new_uow()):
            for difference in await uow.differences.about(agreed):
                if difference.state is not DifferenceState.RESOLVED:
                    difference.resolve(at=self.clock.now())
            await self._advance(run, uow, seen=(run.phase, run.cursor), cursor=cursor)
            await uow.commit()

    async def _compared(self, subjects: Sequence[Subject]) -> list[Finding | TooYoung]:
        """What is not agreed on; each subject with all that is known of it, of whatever day."""
        if not subjects:
            return []
        both = await self.comparison.both_sides(subjects)
        theirs: dict[Subject, list[Moved]] = {}
        by_our_id: dict[object, list[Booked]] = {}
        ours: dict[Subject, list[Booked]] = {}
        for moved in both.theirs:
            theirs.setdefault(moved.subject, []).append(moved)
        for booked in both.ours:
            ours.setdefault(booked.subject, []).append(booked)
            by_our_id.setdefault((booked.movement, booked.our_id), []).append(booked)
        now = self.clock.now()
        found = []
        for subject in subjects:
            there = theirs.get(subject, [])
            twins = [
                twin
                for our_id in {moved.our_id for moved in there} - {None}
                for twin in by_our_id.get((subject.movement, our_id), ())
                if twin.subject != subject
            ]
            found.append(compare(subject, there, [*ours.get(subject, ()), *twins], now=now))
        return [one for one in found if one is not None]

    async def _advance(
        self,
        run: ReconciliationRun,
        uow: UnitOfWork,
        *,
        seen: tuple[Phase, str | None],
        cursor: str | None,
        their_count: int = 0,
        our_count: int = 0,
        pending_count: int = 0,
    ) -> tuple[Phase, str | None]:
        kept = await uow.reconciliations.get(run.id, lock=True)
        kept.advance(seen=seen, cursor=cursor)
        kept.their_count += their_count
        kept.our_count += our_count
        kept.pending_count += pending_count
        if kept.phase is Phase.DONE:
            kept.finished_at = self.clock.now()
        self.progress(kept)
        return kept.phase, kept.cursor


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


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date) -> datetime:
    return _start(day + timedelta(days=1))


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

"""Carry out a reconciliation, phase by phase, each batch in a short transaction with its cursor."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payouts import PayoutBalance
from application.ports.provider_books import ProviderBooks
from application.ports.reconciliation import Comparison
from application.ports.unit_of_work import UnitOfWork
from domain.ledger.reconciliation import (
    GRACE,
    Booked,
    Difference,
    DifferenceState,
    Finding,
    Moved,
    Movement,
    Phase,
    ReconciliationRun,
    Subject,
    TooYoung,
    compare,
    compare_held,
    held_at_payout_provider,
)

LOOK_BACK = timedelta(days=3)
"""So much later the books may learn of a movement: as long as the provider tells of it."""
_BATCH = 500

Progress = Callable[[ReconciliationRun], None]


async def reconcile_day(
    day: date,
    *,
    new_uow: Callable[[], UnitOfWork],
    books: ProviderBooks,
    comparison: Comparison,
    payout_balance: PayoutBalance | None,
    clock: Clock,
    ids: Ids,
    progress: Progress = lambda run: None,
) -> None:
    """Continue the run of a day to its end; without one, or with one that is done, do nothing.

    `payout_balance` None: no provider of bank payouts holds money of ours.

    Raises Unavailable, and RunMovedOn when somebody else continues it as well.
    """
    work = _Work(new_uow, books, comparison, payout_balance, clock, ids, progress)
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
            case Phase.HELD:
                await work.look_at_held(run)


class _Work(msgspec.Struct, frozen=True):
    """The ports of a run, and a method for each of its phases."""

    new_uow: Callable[[], UnitOfWork]
    books: ProviderBooks
    comparison: Comparison
    payout_balance: PayoutBalance | None
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
        subjects = [
            one.subject for one in unresolved if one.movement is not Movement.PAYOUT_BALANCE
        ]
        judged = await self._compared(subjects)
        agreed = set(subjects) - {one.subject for one in judged}
        cursor = str(unresolved[-1].id) if len(unresolved) == _BATCH else None
        async with (uow := self.new_uow()):
            for difference in await uow.differences.about(agreed):
                if difference.state is not DifferenceState.RESOLVED:
                    difference.resolve(at=self.clock.now())
            await self._advance(run, uow, seen=(run.phase, run.cursor), cursor=cursor)
            await uow.commit()

    async def look_at_held(self, run: ReconciliationRun) -> None:
        """What lies at the payout provider now. Asked between two looks at the books: what was
        under way meanwhile is no difference, and compared by the next run."""
        before = await self.comparison.held()
        theirs = await self.payout_balance.held() if self.payout_balance else None
        ours = await self.comparison.held()
        sure = theirs is not None and not ours.unsure and ours == before
        findings: dict[Subject, Finding | None] = {}
        if theirs is not None and sure:
            for currency in theirs.keys() | ours.cents.keys():
                findings[held_at_payout_provider(currency)] = compare_held(
                    currency,
                    their_cents=theirs.get(currency, 0),
                    our_cents=ours.cents.get(currency, 0),
                )
        now = self.clock.now()
        async with (uow := self.new_uow()):
            known = {one.subject: one for one in await uow.differences.about(findings.keys())}
            for subject, finding in findings.items():
                difference = known.get(subject)
                if finding and difference:
                    difference.seen_again(finding, at=now)
                elif finding:
                    uow.differences.add(
                        Difference.of(finding, difference_id=self.ids.new(), run_id=run.id, at=now)
                    )
                elif difference and difference.state is not DifferenceState.RESOLVED:
                    difference.resolve(at=now)
            await self._advance(
                run,
                uow,
                seen=(run.phase, run.cursor),
                cursor=None,
                pending_count=int(theirs is not None and not sure),
            )
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


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

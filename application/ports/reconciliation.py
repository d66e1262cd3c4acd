"""Keeping reconciliations: runs, differences, and a copy of what the provider moved."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.ledger.reconciliation import (
    Booked,
    Difference,
    DifferenceState,
    Fault,
    Moved,
    Movement,
    Phase,
    ReconciliationRun,
    Subject,
)
from domain.shared.money import Currency


class ReconciliationRuns(Repository[ReconciliationRun], Protocol):
    async def of_day(self, day: date, *, lock: bool = False) -> ReconciliationRun | None: ...

    async def latest(self) -> ReconciliationRun | None:
        """That of the latest day."""
        ...


class Differences(Repository[Difference], Protocol):
    async def about(self, subjects: Collection[Subject]) -> list[Difference]: ...

    async def unresolved(self, *, after: UUID | None, limit: int) -> list[Difference]:
        """Open or explained, by id."""
        ...


class ProviderMovements(Protocol):
    async def keep(self, moved: Sequence[Moved]) -> None:
        """Add those that are not there yet; what the provider moved never changes."""
        ...


class BothSides(msgspec.Struct, frozen=True):
    """All that is known of some subjects; ours also by our ids in what is theirs."""

    theirs: Sequence[Moved]
    ours: Sequence[Booked]


class Held(msgspec.Struct, frozen=True):
    """What should lie at the payout provider. `unsure` while a call to it has had no answer."""

    cents: Mapping[Currency, int]
    unsure: bool


class Comparison(Protocol):
    """What is held against each other, a batch at a time."""

    async def theirs_of_day(
        self, day: date, *, after: str | None, limit: int
    ) -> tuple[Sequence[Moved], str | None]:
        """From the copy, in order of time; the cursor is None at the end."""
        ...

    async def ours_of_day(
        self, day: date, *, after: str | None, limit: int
    ) -> tuple[Sequence[Booked], str | None]:
        """What was posted on the provider's balance on that day; the cursor is None at the end."""
        ...

    async def both_sides(self, subjects: Collection[Subject]) -> BothSides:
        """Whenever it moved or was booked."""
        ...

    async def held(self) -> Held:
        """By the books, at this moment: what was moved there less what was sent on and kept."""
        ...


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`differences` counts those that this run saw first and that are open still. `pending` were
    too young to be known on both sides."""

    id: UUID
    day: date
    phase: Phase
    attempt: int
    their_count: int
    our_count: int
    pending: int
    differences: int
    started_at: datetime
    finished_at: datetime | None


class DifferenceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`difference_cents` is what the provider has more than the books."""

    id: UUID
    run_id: UUID
    kind: str
    movement: Movement
    fault: Fault
    source: str
    our_id: UUID | None
    effect_key: str | None
    our_cents: int | None
    their_cents: int | None
    difference_cents: int
    currency: str
    sentence: str
    state: DifferenceState
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    explained_at: datetime | None
    explained_by: UUID | None
    explanation: str | None


class ReconciliationViews(Protocol):
    async def runs(self, *, before: date | None, limit: int) -> list[RunRecord]:
        """The latest day first."""
        ...

    async def run(self, run_id: UUID) -> RunRecord:
        """Raises NotFound."""
        ...

    async def differences(
        self, run_id: UUID, *, state: DifferenceState | None, after: UUID | None, limit: int
    ) -> list[DifferenceRecord]:
        """Those that the run saw first, by id."""
        ...

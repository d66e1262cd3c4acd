"""Compare what the provider moved on our balance with what the books say of it, object by object.

Both sides are reduced to the same words: a movement of some kind, about an object of the
provider's (its `source`), in minor units, positive where money came to us. What both sides agree on
is no difference; what is too young to be known on both sides is not one yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.shared.errors import Conflict
from domain.shared.money import Currency, format_money

GRACE = timedelta(hours=1)
"""How long one side may know of a movement before the other does."""


class Movement(StrEnum):
    """`dispute` is all that a dispute moved, its fee too; `adjustment` what no object explains.
    `payout_balance` is no movement: what lies at the payout provider, as a whole."""

    CHARGE = "charge"
    FEE = "fee"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"
    PAYOUT_BALANCE = "payout_balance"


class Fault(StrEnum):
    """`not_booked`: theirs alone. `unknown_there`: ours alone. `doubled`: theirs once too often.
    `withdrawn`: the operator's own money went to the operator's bank, which the books do not
    follow."""

    NOT_BOOKED = "not_booked"
    WITHDRAWN = "withdrawn"
    UNKNOWN_THERE = "unknown_there"
    AMOUNT = "amount"
    DOUBLED = "doubled"


class Subject(NamedTuple):
    """What is compared: one object of the provider's."""

    movement: Movement
    source: str
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Their side. `our_id` is ours that they keep: of the order, refund, transfer or reversal."""

    id: str
    movement: Movement
    source: str
    our_id: UUID | None
    amount_cents: int
    currency: Currency
    at: datetime

    @property
    def subject(self) -> Subject:
        return Subject(self.movement, self.source, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Our side: one posted effect on the clearing account. `source` as our object names it."""

    effect_key: str
    movement: Movement
    source: str
    our_id: UUID | None
    amount_cents: int
    currency: Currency
    at: datetime

    @property
    def subject(self) -> Subject:
        return Subject(self.movement, self.source, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong about a subject. An amount is None where that side knows nothing."""

    subject: Subject
    fault: Fault
    our_id: UUID | None
    effect_key: str | None
    our_cents: int | None
    their_cents: int | None
    sentence: str


class TooYoung(NamedTuple):
    """One side may still be on its way: look again later."""

    subject: Subject


def compare(
    subject: Subject, theirs: Sequence[Moved], ours: Sequence[Booked], *, now: datetime
) -> Finding | TooYoung | None:
    """All that either side knows of a subject; None when they agree.

    `ours` may hold effects of the same object of ours under another source of the provider's: then
    theirs was made twice.
    """
    known = [booked for booked in ours if booked.subject == subject]
    their_cents = sum(moved.amount_cents for moved in theirs)
    our_cents = sum(booked.amount_cents for booked in known)
    if their_cents == our_cents and bool(theirs) == bool(known):
        return None
    if not theirs and not known:
        return None
    sides: list[Moved | Booked] = [*known, *theirs]
    if max(side.at for side in sides) > now - GRACE:
        return TooYoung(subject)
    our_id = next((side.our_id for side in sides if side.our_id), None)
    twin = next((b for b in ours if b.our_id == our_id and b.subject != subject), None)
    fault = _fault(subject, theirs, known, twin if our_id else None)
    return Finding(
        subject=subject,
        fault=fault,
        our_id=our_id,
        effect_key=known[0].effect_key if known else None,
        our_cents=our_cents if known else None,
        their_cents=their_cents if theirs else None,
        sentence=_sentence(subject, fault, our_id, our_cents, their_cents, twin),
    )


def compare_held(currency: Currency, *, their_cents: int, our_cents: int) -> Finding | None:
    """What the payout provider holds for us, against what the books say that it holds."""
    if their_cents == our_cents:
        return None
    theirs, ours = _told(their_cents, currency), _told(our_cents, currency)
    return Finding(
        subject=held_at_payout_provider(currency),
        fault=Fault.AMOUNT,
        our_id=None,
        effect_key=None,
        our_cents=our_cents,
        their_cents=their_cents,
        sentence=f"The payout provider holds {theirs} for us, the books say {ours}.",
    )


def held_at_payout_provider(currency: Currency) -> Subject:
    return Subject(Movement.PAYOUT_BALANCE, "all", currency)


def _fault(
    subject: Subject, theirs: Sequence[Moved], known: Sequence[Booked], twin: Booked | None
) -> Fault:
    if not theirs:
        return Fault.UNKNOWN_THERE
    if not known:
        if subject.movement is Movement.PAYOUT and sum(moved.amount_cents for moved in theirs) <= 0:
            return Fault.WITHDRAWN
        return Fault.DOUBLED if twin else Fault.NOT_BOOKED
    ours_once = known[0].amount_cents
    if len(theirs) > len(known) and all(moved.amount_cents == ours_once for moved in theirs):
        return Fault.DOUBLED
    return Fault.AMOUNT


_NOUNS = {
    Movement.CHARGE: "charge",
    Movement.FEE: "processing fee",
    Movement.REFUND: "refund",
    Movement.REFUND_RETURNED: "returned refund",
    Movement.TRANSFER: "transfer",
    Movement.REVERSAL: "transfer reversal",
    Movement.DISPUTE: "dispute",
    Movement.PAYOUT: "payout",
    Movement.ADJUSTMENT: "adjustment",
    Movement.PAYOUT_BALANCE: "balance at the payout provider",
}
_ABOUT = {
    Movement.CHARGE: "order",
    Movement.REFUND: "refund",
    Movement.REFUND_RETURNED: "refund",
    Movement.TRANSFER: "transfer",
    Movement.REVERSAL: "reversal",
    Movement.DISPUTE: "dispute",
    Movement.PAYOUT: "payout",
}


def _sentence(
    subject: Subject,
    fault: Fault,
    our_id: UUID | None,
    our_cents: int,
    their_cents: int,
    twin: Booked | None,
) -> str:
    movement, source, currency = subject
    noun = _NOUNS[movement]
    ours, theirs = _told(our_cents, currency), _told(their_cents, currency)
    about = f" for our {_ABOUT[movement]} {our_id}" if our_id and movement in _ABOUT else ""
    match fault:
        case Fault.DOUBLED:
            other = f" beside {twin.source}" if twin and twin.source != source else ""
            return f"The provider made the {noun} {source} of {theirs}{about} twice{other}."
        case Fault.UNKNOWN_THERE:
            return f"The books have a {noun} {source} of {ours}{about} that the provider lacks."
        case Fault.AMOUNT:
            return f"The {noun} {source}{about} is {ours} in the books, {theirs} at the provider."
        case Fault.WITHDRAWN if their_cents == 0:
            return f"A withdrawal of the operator's own, {source}, came back from the bank."
        case Fault.WITHDRAWN:
            taken = _told(-their_cents, currency)
            return f"{taken} went to the operator's own bank: withdrawal {source}."
        case Fault.NOT_BOOKED:
            if movement is Movement.REFUND and our_id is None:
                return f"The refund {source} of {theirs} was made at the provider by hand."
            if our_id is None and movement is Movement.CHARGE:
                return f"The charge {source} of {theirs} is for no order of ours."
            return f"The {noun} {source} of {theirs}{about} is not in the books."


def _told(amount_cents: int, currency: Currency) -> str:
    return format_money(amount_cents, currency)


class DifferenceState(StrEnum):
    """`noted`: it explains itself, and nobody need look. `explained` by a person; `resolved` when
    both sides came to agree."""

    OPEN = "open"
    NOTED = "noted"
    EXPLAINED = "explained"
    RESOLVED = "resolved"


class AlreadyResolved(Conflict):
    """Both sides agree by now: there is nothing to explain."""

    code = "difference_resolved"


@dataclass(eq=False, kw_only=True)
class Difference:
    """A finding that is kept, one for each subject. `run_id` is the run that saw it first."""

    id: UUID
    run_id: UUID
    movement: Movement
    source: str
    currency: Currency
    fault: Fault
    our_id: UUID | None
    effect_key: str | None
    our_cents: int | None
    their_cents: int | None
    sentence: str
    state: DifferenceState = DifferenceState.OPEN
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None = None
    explained_at: datetime | None = None
    explained_by: UUID | None = None
    explanation: str | None = None

    @property
    def subject(self) -> Subject:
        return Subject(self.movement, self.source, self.currency)

    @classmethod
    def of(
        cls, finding: Finding, *, difference_id: UUID, run_id: UUID, at: datetime
    ) -> "Difference":
        return cls(
            id=difference_id,
            run_id=run_id,
            movement=finding.subject.movement,
            source=finding.subject.source,
            currency=finding.subject.currency,
            fault=finding.fault,
            our_id=finding.our_id,
            effect_key=finding.effect_key,
            our_cents=finding.our_cents,
            their_cents=finding.their_cents,
            sentence=finding.sentence,
            state=_at_first(finding.fault),
            first_seen_at=at,
            last_seen_at=at,
        )

    def seen_again(self, finding: Finding, *, at: datetime) -> None:
        """An explanation holds for what was explained: other amounts open it again."""
        same = (self.our_cents, self.their_cents) == (finding.our_cents, finding.their_cents)
        if self.state is not DifferenceState.EXPLAINED or not same:
            self.state = _at_first(finding.fault)
            self.resolved_at = None
        self.fault, self.sentence = finding.fault, finding.sentence
        self.our_cents, self.their_cents = finding.our_cents, finding.their_cents
        self.last_seen_at = at

    def resolve(self, *, at: datetime) -> None:
        self.state = DifferenceState.RESOLVED
        self.resolved_at = at

    def explain(self, words: str, *, by: UUID, at: datetime) -> None:
        """A person says why it is right as it is. Raises AlreadyResolved."""
        if self.state is DifferenceState.RESOLVED:
            raise AlreadyResolved("Both sides agree by now.")
        self.state = DifferenceState.EXPLAINED
        self.explanation, self.explained_by, self.explained_at = words, by, at


def _at_first(fault: Fault) -> DifferenceState:
    return DifferenceState.NOTED if fault is Fault.WITHDRAWN else DifferenceState.OPEN


class Phase(StrEnum):
    """What a run does next: fetch theirs, hold theirs against ours, ours against theirs, look
    again at what was open, and at what lies at the payout provider."""

    FETCH = "fetch"
    THEIRS = "theirs"
    OURS = "ours"
    OPEN = "open"
    HELD = "held"
    DONE = "done"


_NEXT = dict(zip(Phase, list(Phase)[1:], strict=False))


class RunMovedOn(Conflict):
    """Somebody else continues this reconciliation."""

    code = "reconciliation_moved_on"


@dataclass(eq=False, kw_only=True)
class ReconciliationRun:
    """The comparison of one day (UTC). It goes on from `cursor` wherever it was left."""

    id: UUID
    day: date
    phase: Phase = Phase.FETCH
    cursor: str | None = None
    attempt: int = 1
    their_count: int = 0
    our_count: int = 0
    pending_count: int = 0
    started_at: datetime
    finished_at: datetime | None = None

    def restart(self, *, at: datetime) -> None:
        """Compare the day anew; what a run is in the midst of, it goes on with."""
        if self.phase is Phase.DONE:
            self.phase, self.cursor, self.finished_at = Phase.FETCH, None, None
            self.their_count = self.our_count = self.pending_count = 0
            self.attempt += 1
            self.started_at = at

    def advance(self, *, seen: tuple[Phase, str | None], cursor: str | None) -> None:
        """After a batch that began where `seen` says. `cursor` None ends the phase."""
        if seen != (self.phase, self.cursor):
            raise RunMovedOn("Somebody else continues this reconciliation.")
        self.cursor = cursor
        if cursor is None:
            self.phase = _NEXT[self.phase]

    def knows_all_of_its_day(self, *, day_end: datetime) -> bool:
        """Done, and begun when nothing of the day was too young any more."""
        return self.phase is Phase.DONE and self.started_at >= day_end + GRACE

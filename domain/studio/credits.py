"""Credits: what work in the studio is paid with.

A wallet holds today's grant and what was bought. The grant lapses when its day (UTC) ends; bought
credits never do. Work takes from the grant first. Whoever starts work has its maximum price held;
what it did not use goes back to where it came from, unless that has lapsed meanwhile.

Every change is an entry, numbered per wallet, which says what is there after it. So the balance is
the sum of the entries, an entry can be checked against the one before, and neither the balance nor
what is held is ever below zero.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import RuleRefused
from domain.studio.prices import NEWEST_TABLE


class CreditKind(StrEnum):
    """`refund` takes bought credits back whose price was given back; `adjust` is by hand.
    `freeze`: their price is contested; `thaw`: it came back; `forfeit`: it did not."""

    GRANT = "grant"
    EXPIRE = "expire"
    PURCHASE = "purchase"
    REFUND = "refund"
    ADJUST = "adjust"
    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    FREEZE = "freeze"
    THAW = "thaw"
    FORFEIT = "forfeit"


class CreditsExhausted(RuleRefused):
    """There are fewer credits than the work may cost."""

    code = "credits_exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEntry:
    """One change of a wallet. `daily`, `bought`, `held` and `frozen` are changes; `spent` was used
    up for good, `lapsed` is gone unused; all together add up to what came in from outside, or
    left. The `…_after` are what the wallet holds then."""

    user_id: UUID
    number: int
    kind: CreditKind
    at: datetime
    daily: int = 0
    bought: int = 0
    held: int = 0
    frozen: int = 0
    spent: int = 0
    lapsed: int = 0
    daily_after: int
    bought_after: int
    held_after: int
    frozen_after: int
    job_id: UUID | None = None
    round: int | None = None
    day: date | None = None
    granted_up_to: int | None = None
    purchase_id: UUID | None = None
    reason: str | None = None

    @property
    def credits(self) -> int:
        """By how much the balance changed."""
        return self.daily + self.bought


@dataclass(eq=False, kw_only=True)
class Hold:
    """The maximum price of one round of a job, as it was taken: `daily` of the grant of `day`.
    Closed once, by settling or releasing; `spent` is what it cost then."""

    job_id: UUID
    round: int
    user_id: UUID
    day: date
    daily: int
    bought: int
    price_table: int
    reserved_at: datetime
    closed_at: datetime | None = None
    spent: int | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def credits(self) -> int:
        return self.daily + self.bought


@dataclass(eq=False, kw_only=True)
class Wallet:
    """`granted` is how much of `day`'s grant was given, all of it together; `frozen` was bought
    and is contested; `fresh` are the entries that were not saved yet."""

    user_id: UUID
    day: date | None = None
    granted: int = 0
    daily: int = 0
    bought: int = 0
    held: int = 0
    frozen: int = 0
    number: int = 0
    fresh: list[CreditEntry] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return self.daily + self.bought

    def open_day(self, at: datetime, *, grant: int) -> None:
        """Let an earlier day's grant lapse and give today's. Within a day a greater grant gives
        the difference, a smaller one takes nothing away; doing it again does nothing."""
        today = day_of(at)
        if self.day is not None and today < self.day:
            return  # a clock that is behind grants nothing
        self.lapse(at)
        if self.day != today:
            self.day, self.granted = today, 0
        if grant > self.granted:
            more, self.granted = grant - self.granted, grant
            self._enter(CreditKind.GRANT, at, daily=more, day=today, granted_up_to=grant)

    def lapse(self, at: datetime) -> None:
        """What is left of an earlier day's grant is gone."""
        if self.day is not None and self.day < day_of(at) and self.daily:
            self._enter(CreditKind.EXPIRE, at, daily=-self.daily, lapsed=self.daily, day=self.day)

    def reserve(
        self,
        credits: int,
        *,
        job_id: UUID,
        round: int,
        at: datetime,
        price_table: int = NEWEST_TABLE,
    ) -> Hold:
        """Hold the maximum price of a round of a job. Raises CreditsExhausted."""
        _not_negative(credits)
        self.lapse(at)
        if credits > self.balance:
            raise CreditsExhausted(
                "There are not enough credits for this: wait for tomorrow's, or buy some.",
                needed=credits,
                balance=self.balance,
                next_reset=next_reset(at).isoformat(),
            )
        daily = min(credits, self.daily)
        hold = Hold(
            job_id=job_id,
            round=round,
            user_id=self.user_id,
            day=self.day or day_of(at),
            daily=daily,
            bought=credits - daily,
            price_table=price_table,
            reserved_at=at,
        )
        self._enter(
            CreditKind.RESERVE, at, daily=-daily, bought=-hold.bought, held=credits, hold=hold
        )
        return hold

    def settle(self, hold: Hold, credits: int, *, at: datetime) -> int:
        """The work cost `credits`, never more than was held: the rest goes back. A hold that is
        closed stays as it was closed. Answers how many bought credits are back."""
        _not_negative(credits)
        if not hold.is_open:
            return 0
        return self._close(hold, min(credits, hold.credits), CreditKind.SETTLE, at)

    def release(self, hold: Hold, *, at: datetime) -> int:
        """The work cost nothing: all of it goes back. A closed hold stays as it was closed.
        Answers how many bought credits are back."""
        return self._close(hold, 0, CreditKind.RELEASE, at) if hold.is_open else 0

    def buy(self, credits: int, *, purchase_id: UUID, at: datetime) -> None:
        self._enter(CreditKind.PURCHASE, at, bought=credits, purchase_id=purchase_id)

    def take_back(self, credits: int, *, purchase_id: UUID, at: datetime) -> int:
        """Take back what of so many bought credits is not spent or held; answers how many."""
        taken = min(credits, self.bought)
        if taken:
            self._enter(CreditKind.REFUND, at, bought=-taken, purchase_id=purchase_id)
        return taken

    def give_again(self, credits: int, *, purchase_id: UUID, at: datetime) -> None:
        """What was taken back for a refund that did not come about."""
        self._enter(CreditKind.REFUND, at, bought=credits, purchase_id=purchase_id)

    def freeze(self, credits: int, *, purchase_id: UUID, at: datetime) -> int:
        """Put aside what of so many bought credits is not spent or held; answers how many."""
        taken = min(credits, self.bought)
        if taken:
            self._enter(CreditKind.FREEZE, at, bought=-taken, frozen=taken, purchase_id=purchase_id)
        return taken

    def thaw(self, credits: int, *, purchase_id: UUID, at: datetime) -> None:
        if credits:
            self._enter(
                CreditKind.THAW, at, bought=credits, frozen=-credits, purchase_id=purchase_id
            )

    def forfeit(self, credits: int, *, purchase_id: UUID, at: datetime) -> None:
        if credits:
            self._enter(
                CreditKind.FORFEIT, at, frozen=-credits, lapsed=credits, purchase_id=purchase_id
            )

    def adjust(self, credits: int, *, reason: str, at: datetime) -> None:
        """By hand, of what does not lapse. Raises CreditsExhausted when less is there."""
        if self.bought + credits < 0:
            raise CreditsExhausted(
                "Fewer credits are there than are to be taken.",
                needed=-credits,
                balance=self.bought,
            )
        self._enter(CreditKind.ADJUST, at, bought=credits, reason=reason)

    def _close(self, hold: Hold, spent: int, kind: CreditKind, at: datetime) -> int:
        self.lapse(at)
        unused = hold.daily - min(spent, hold.daily)
        bought = hold.credits - spent - unused
        daily = unused if hold.day == self.day == day_of(at) else 0
        hold.closed_at, hold.spent = at, spent
        self._enter(
            kind,
            at,
            daily=daily,
            bought=bought,
            held=-hold.credits,
            spent=spent,
            lapsed=unused - daily,
            hold=hold,
        )
        return bought

    def _enter(
        self,
        kind: CreditKind,
        at: datetime,
        *,
        daily: int = 0,
        bought: int = 0,
        held: int = 0,
        frozen: int = 0,
        spent: int = 0,
        lapsed: int = 0,
        hold: Hold | None = None,
        day: date | None = None,
        granted_up_to: int | None = None,
        purchase_id: UUID | None = None,
        reason: str | None = None,
    ) -> None:
        after = (
            self.daily + daily,
            self.bought + bought,
            self.held + held,
            self.frozen + frozen,
        )
        if min(after) < 0:
            raise ValueError(f"{kind} would leave {after} in a wallet")
        self.daily, self.bought, self.held, self.frozen = after
        self.number += 1
        self.fresh.append(
            CreditEntry(
                user_id=self.user_id,
                number=self.number,
                kind=kind,
                at=at,
                daily=daily,
                bought=bought,
                held=held,
                frozen=frozen,
                spent=spent,
                lapsed=lapsed,
                daily_after=self.daily,
                bought_after=self.bought,
                held_after=self.held,
                frozen_after=self.frozen,
                job_id=hold.job_id if hold else None,
                round=hold.round if hold else None,
                day=day,
                granted_up_to=granted_up_to,
                purchase_id=purchase_id,
                reason=reason,
            )
        )


def day_of(at: datetime) -> date:
    return at.astimezone(UTC).date()


def next_reset(at: datetime) -> datetime:
    """When today's grant lapses and the next is there."""
    return datetime(*(day_of(at) + timedelta(days=1)).timetuple()[:3], tzinfo=UTC)


def _not_negative(credits: int) -> None:
    if credits < 0:
        raise ValueError(f"{credits} credits")

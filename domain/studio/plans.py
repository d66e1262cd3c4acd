"""Plans: what a user may use of the studio, and what it costs.

Plans are versioned: who has subscribed keeps the version that it subscribed to. A subscription
lives at the payment provider; ours is the last snapshot of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class PlanName(StrEnum):
    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class Interval(StrEnum):
    MONTH = "month"
    YEAR = "year"


class Plan(NamedTuple):
    """`priority`: greater goes first. `clean`: copies without a watermark need no order.
    Prices are in `PLAN_CURRENCY`, before tax."""

    name: PlanName
    version: int
    daily_credits: int
    concurrent_jobs: int
    priority: int
    storage_bytes: int
    clean: bool
    price_month_cents: int
    price_year_cents: int

    def price_cents(self, interval: Interval) -> int:
        return self.price_month_cents if interval is Interval.MONTH else self.price_year_cents


PLAN_CURRENCY = "usd"
_GIB = 1 << 30

PLANS: Mapping[tuple[PlanName, int], Plan] = {
    (plan.name, plan.version): plan
    for plan in (
        Plan(PlanName.FREE, 1, 100, 3, 0, 2 * _GIB, False, 0, 0),
        Plan(PlanName.PRO, 1, 1_000, 8, 1, 100 * _GIB, True, 2_900, 29_000),
        Plan(PlanName.ENTERPRISE, 1, 10_000, 32, 2, 2048 * _GIB, True, 29_900, 299_000),
    )
}
"""Every version there ever was."""

OFFERED: Mapping[PlanName, Plan] = {
    name: max((p for p in PLANS.values() if p.name is name), key=lambda plan: plan.version)
    for name in PlanName
}
"""What is sold today."""

GRACE = timedelta(days=7)
"""How long a subscription counts whose invoice could not be collected."""


REFRESH = timedelta(days=1)
REFRESH_LATE = timedelta(hours=1)
"""How often the provider is asked by itself how a subscription stands."""


class SubscriptionStatus(StrEnum):
    """As the provider names them."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"


ENDED = frozenset({SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED})


class Snapshot(NamedTuple):
    """What the provider says of a subscription."""

    plan: PlanName
    plan_version: int
    interval: Interval
    status: SubscriptionStatus
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool


@dataclass(eq=False, kw_only=True)
class PlanSubscription:
    """`past_due_since` counts the grace; `heard` how often a snapshot was taken over, so that of
    two who asked at once the slower one asks again. `forfeited_at`: a bank took the money for it
    back for good, and it is being cancelled."""

    id: UUID
    user_id: UUID
    provider_id: str
    plan: PlanName
    plan_version: int
    interval: Interval
    status: SubscriptionStatus
    period_start: datetime
    period_end: datetime
    cancel_at_period_end: bool
    past_due_since: datetime | None = None
    forfeited_at: datetime | None = None
    heard: int = 0
    refresh_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def hear(self, said: Snapshot, *, at: datetime) -> None:
        """Take over a snapshot. What is past due is asked about more often."""
        for name, value in said._asdict().items():
            setattr(self, name, value)
        if said.status is not SubscriptionStatus.PAST_DUE:
            self.past_due_since = None
        elif self.past_due_since is None:
            self.past_due_since = at
        self.heard += 1
        self.updated_at = at
        late = said.status is SubscriptionStatus.PAST_DUE
        self.refresh_at = at + (REFRESH_LATE if late else REFRESH)

    @property
    def grace_ends(self) -> datetime | None:
        return self.past_due_since + GRACE if self.past_due_since else None

    def counts(self, at: datetime) -> bool:
        """Whether its plan is had at this moment."""
        if self.forfeited_at is not None:
            return False
        match self.status:
            case SubscriptionStatus.ACTIVE | SubscriptionStatus.TRIALING:
                return True
            case SubscriptionStatus.PAST_DUE:
                return self.grace_ends is not None and at < self.grace_ends
            case _:
                return False


class Allowance(NamedTuple):
    """What a user may use now."""

    plan: PlanName
    plan_version: int
    daily_credits: int
    concurrent_jobs: int
    priority: int
    storage_bytes: int
    clean: bool


def best_of(subscriptions: Iterable[PlanSubscription], at: datetime) -> PlanSubscription | None:
    """The one that counts now, and most; a user has two only for moments."""
    counting = (one for one in subscriptions if one.counts(at))
    return max(counting, key=lambda one: _plan(one).priority, default=None)


def allowance_under(subscriptions: Iterable[PlanSubscription], at: datetime) -> Allowance:
    """The plan of the subscription that counts, else the free one."""
    best = best_of(subscriptions, at)
    return Allowance(*(OFFERED[PlanName.FREE] if best is None else _plan(best))[:7])


def _plan(subscription: PlanSubscription) -> Plan:
    return PLANS[subscription.plan, subscription.plan_version]

"""What work costs, and what each plan allows."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from domain.studio.plans import (
    GRACE,
    OFFERED,
    PLANS,
    Interval,
    PlanName,
    PlanSubscription,
    SubscriptionStatus,
    allowance_under,
)
from domain.studio.prices import PRICE_TABLES, PricedStep, price_of
from tests.builders import NOON


def subscription(
    status: SubscriptionStatus, plan: PlanName = PlanName.PRO, **changes: object
) -> PlanSubscription:
    late = {"past_due_since": NOON} if status is SubscriptionStatus.PAST_DUE else {}
    return PlanSubscription(
        id=uuid4(),
        user_id=uuid4(),
        provider_id=f"sub_{uuid4().hex}",
        plan=plan,
        plan_version=1,
        interval=Interval.MONTH,
        status=status,
        period_start=NOON,
        period_end=NOON + timedelta(days=30),
        cancel_at_period_end=False,
        refresh_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        **{**late, **changes},  # type: ignore[arg-type]
    )


def test_steps_are_priced_by_units_begun() -> None:
    steps = [PricedStep("image_generation", 4), PricedStep("speech_synthesis", 501)]
    assert price_of(steps, table_version=1) == (4 * 2 + 2 * 1, 1)


def test_a_step_of_nothing_has_no_price() -> None:
    with pytest.raises(ValueError, match="0 units"):
        price_of([PricedStep("image_generation", 0)])


def test_versions_are_what_they_say() -> None:
    assert all(version == table.version for version, table in PRICE_TABLES.items())
    assert all(key == (plan.name, plan.version) for key, plan in PLANS.items())


def test_a_dearer_plan_allows_no_less() -> None:
    plans = sorted(OFFERED.values(), key=lambda plan: plan.price_month_cents)
    assert [plan.name for plan in plans] == list(PlanName)
    for less, more in pairwise(plans):
        assert all(a <= b for a, b in zip(less[2:], more[2:], strict=True))


def test_who_has_no_subscription_has_the_free_plan() -> None:
    assert allowance_under([], NOON).plan is PlanName.FREE


@pytest.mark.parametrize("status", SubscriptionStatus)
def test_only_some_states_count(status: SubscriptionStatus) -> None:
    counts = {
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.TRIALING,
        SubscriptionStatus.PAST_DUE,
    }
    plan = PlanName.PRO if status in counts else PlanName.FREE
    assert allowance_under([subscription(status)], NOON).plan is plan


def test_what_is_past_due_counts_for_a_while() -> None:
    late = subscription(SubscriptionStatus.PAST_DUE, past_due_since=NOON)
    assert allowance_under([late], NOON + GRACE - timedelta(seconds=1)).plan is PlanName.PRO
    assert allowance_under([late], NOON + GRACE).plan is PlanName.FREE


def test_of_two_the_better_one_counts() -> None:
    both = [
        subscription(SubscriptionStatus.ACTIVE, PlanName.ENTERPRISE),
        subscription(SubscriptionStatus.ACTIVE),
        subscription(SubscriptionStatus.CANCELED, PlanName.ENTERPRISE),
    ]
    assert allowance_under(both, NOON).plan is PlanName.ENTERPRISE
    assert allowance_under(both[1:], NOON).plan is PlanName.PRO

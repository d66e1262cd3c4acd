"""On the way to a plan: the customer that a user is at the provider, and the page of a plan."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict
from domain.studio.plans import Interval, PlanName


class AlreadySubscribed(Conflict):
    """There is a subscription already: it is changed in the portal."""

    code = "already_subscribed"


class PlanNotSold(Conflict):
    """The free plan needs no subscription."""

    code = "plan_not_sold"


class CheckoutPending(Conflict):
    """Another page of this user was just paid: wait a moment and look again."""

    code = "checkout_pending"


@dataclass(eq=False, kw_only=True)
class BillingCustomer:
    """`id` is the user's; `provider_id` None: asked for, and not answered yet. `compare_at`: when
    its subscriptions are held against the provider's list of them."""

    id: UUID
    provider_id: str | None = None
    created_at: datetime
    compare_at: datetime


class PlanCheckoutStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    EXPIRED = "expired"


@dataclass(eq=False, kw_only=True)
class PlanCheckout:
    """A page where a user may subscribe; a user has one that is open."""

    id: UUID
    user_id: UUID
    request_key: str
    plan: PlanName
    plan_version: int
    interval: Interval
    status: PlanCheckoutStatus = PlanCheckoutStatus.OPEN
    session_id: str | None = None
    url: str | None = None
    created_at: datetime
    expires_at: datetime
    ask_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status is PlanCheckoutStatus.OPEN

"""A use: what somebody proposes to do with a likeness, as far as it is known."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.terms import Capability, ProductType, Purpose


class Action(StrEnum):
    TRAIN = "train"
    GENERATE = "generate"
    LIST = "list"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Seller:
    """The store that lists or sells; `is_creators_own` when the creator's user owns it."""

    store_id: UUID
    is_creators_own: bool


@dataclass(frozen=True, slots=True)
class Price:
    """List price and the final unit price after every discount, in minor units."""

    list_cents: int
    unit_cents: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is not known is None, and what a rule needs and does not know is refused."""

    action: Action
    at: datetime
    capability: Capability | None = None
    product_type: ProductType | None = None
    purpose: Purpose | None = None
    seller: Seller | None = None
    price: Price | None = None
    texts: tuple[tuple[str, str], ...] = ()
    """Pairs of field and text that people wrote: prompt, title, description."""

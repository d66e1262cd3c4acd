"""A use: what somebody proposes to do with a likeness, as far as it is known."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.conditions import SubjectRight
from domain.licensing.terms import Capability, ProductType, Purpose


class Action(StrEnum):
    TRAIN = "train"
    GENERATE = "generate"
    LIST = "list"
    SELL = "sell"


class Grant(StrEnum):
    """How exclusive grants over what is to be sold stand to who sells it."""

    HELD = "held"
    FREE = "free"
    TAKEN = "taken"


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
class Usage:
    """What was made and sold under the licence before this use; `edition_sold` of this product,
    `revenue_cents` in the currency of the price. None is not counted."""

    generations_today: int | None = None
    units_sold: int | None = None
    edition_sold: int | None = None
    revenue_cents: int | None = None


NOT_COUNTED = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is not known is None, and what a rule needs and does not know is refused.

    `subject_rights` None are those that the capability implies. `territories` are where a listing
    is to be sold or a sale is shipped to. `creator_name` fills in an attribution. `by_creator`:
    the creator proposes it, so that their word is given. `approved` is their word on a use of
    somebody else: given, refused (or not given in time), or not asked yet. `derivative`: it is
    made of what was made before. `sublicence_depth` counts the licensees between the creator and
    the user. `revoked_from` is when a revocation takes effect.
    """

    action: Action
    at: datetime
    capability: Capability | None = None
    subject_rights: frozenset[SubjectRight] | None = None
    model: str | None = None
    takes_weights: bool = False
    trains_ai: bool = False
    product_type: ProductType | None = None
    purpose: Purpose | None = None
    seller: Seller | None = None
    price: Price | None = None
    quantity: int = 1
    territories: frozenset[str] | None = None
    texts: tuple[tuple[str, str], ...] = ()
    """Pairs of field and text that people wrote: prompt, title, description."""
    creator_name: str | None = None
    by_creator: bool = False
    approved: bool | None = None
    derivative: bool = False
    usage: Usage = NOT_COUNTED
    grant: Grant | None = None
    sublicence_depth: int = 0
    revoked_from: datetime | None = None

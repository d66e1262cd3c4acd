"""Licence terms: what a creator allows others to do with a likeness, as an immutable value.

A change of mind is a new version. Everything made or sold carries the version and the hash that
it was made under, so that the rule of any old decision can be read again.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.licensing.royalty import Royalty
from domain.shared.errors import Invalid
from domain.shared.money import BASIS_POINTS_PER_UNIT


class Capability(StrEnum):
    """What may be made from the likeness."""

    TRAIN = "train"
    IMAGE = "image"
    VIDEO = "video"
    TALKING_AVATAR = "talking_avatar"
    VOICE = "voice"
    MODEL_3D = "model_3d"


class ProductType(StrEnum):
    POSTCARD = "postcard"
    SHIRT = "shirt"
    FIGURINE = "figurine"
    DIGITAL = "digital"
    PRINT = "print"


class Purpose(StrEnum):
    PERSONAL = "personal"
    EDITORIAL = "editorial"
    COMMERCIAL = "commercial"
    ADVERTISING = "advertising"
    POLITICAL = "political"
    ADULT = "adult"


MAX_TERM = timedelta(days=3653)
MAX_KEYWORDS = 500
MAX_STORES = 500


class TermsInvalid(Invalid):
    """The terms contradict themselves; `fields` says where."""

    code = "licence_terms_invalid"


@dataclass(frozen=True, slots=True)
class MinimumPrice:
    """A floor for one product type, one currency, or both; None means any."""

    amount_cents: int
    product_type: ProductType | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceTerms:
    """The conditions of one version. Defaults are those a creator gets by saying nothing.

    `valid_until` is exclusive; `sell_off_days` after it, what is listed may still be sold.
    `allowed_stores` None means any store that nothing else forbids.
    """

    capabilities: frozenset[Capability] = frozenset({Capability.TRAIN, Capability.IMAGE})
    product_types: frozenset[ProductType] = frozenset(ProductType)
    purposes: frozenset[Purpose] = frozenset({Purpose.PERSONAL, Purpose.COMMERCIAL})
    allow_third_party_stores: bool = True
    allowed_stores: frozenset[UUID] | None = None
    denied_stores: frozenset[UUID] = frozenset()
    valid_from: datetime
    valid_until: datetime | None = None
    sell_off_days: int = 0
    blocked_keywords: tuple[str, ...] = ()
    min_price_cents: int = 500
    min_prices: tuple[MinimumPrice, ...] = field(default=())
    max_discount_bps: int = 2000
    royalty_bps: int = 1000

    def __post_init__(self) -> None:
        problems = dict(_problems(self))
        if problems:
            raise TermsInvalid("These licence terms cannot stand.", fields=problems)

    def minimum_price_cents(self, product_type: ProductType, currency: str) -> int:
        """The floor for a sale: the most specific one, a product type before a currency."""
        fitting = [
            (price.product_type is not None, price.currency is not None, price.amount_cents)
            for price in self.min_prices
            if price.product_type in (None, product_type) and price.currency in (None, currency)
        ]
        return max(fitting)[2] if fitting else self.min_price_cents

    @property
    def royalty(self) -> Royalty:
        """The rule for the royalty of a sale that nothing was sold before."""
        return Royalty(self.royalty_bps)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: equal terms, equal hash."""
        return hashlib.sha256(canonical_json(self).encode()).hexdigest()


def canonical_json(terms: LicenceTerms) -> str:
    """Sorted keys, sorted sets, no white space, instants in UTC: one text for one meaning."""
    values = {f.name: _plain(getattr(terms, f.name)) for f in fields(terms)}
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: object) -> object:
    match value:
        case frozenset():
            return sorted(str(item) for item in value)
        case tuple():
            return [_plain(item) for item in value]
        case MinimumPrice():
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        case datetime() | UUID():
            return str(value) if isinstance(value, UUID) else value.astimezone(UTC).isoformat()
        case _:
            return value


def _problems(terms: LicenceTerms) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []

    def demand(holds: bool, name: str, message: str) -> None:
        if not holds:
            found.append((name, [message]))

    rate = f"must be between 0 and {BASIS_POINTS_PER_UNIT} basis points"
    demand(0 <= terms.royalty_bps <= BASIS_POINTS_PER_UNIT, "royalty_bps", rate)
    demand(0 <= terms.max_discount_bps <= BASIS_POINTS_PER_UNIT, "max_discount_bps", rate)
    demand(terms.min_price_cents >= 0, "min_price_cents", "must not be negative")
    demand(
        all(price.amount_cents >= 0 for price in terms.min_prices),
        "min_prices",
        "must not be negative",
    )
    demand(0 <= terms.sell_off_days <= 365, "sell_off_days", "must be between 0 and 365 days")
    demand(
        len(terms.blocked_keywords) <= MAX_KEYWORDS,
        "blocked_keywords",
        f"must not name more than {MAX_KEYWORDS} keywords",
    )
    demand(
        len(terms.denied_stores | (terms.allowed_stores or frozenset())) <= MAX_STORES,
        "denied_stores",
        f"must not name more than {MAX_STORES} stores",
    )
    if terms.valid_until is not None:
        demand(terms.valid_until > terms.valid_from, "valid_until", "must be after valid_from")
        demand(
            terms.valid_until - terms.valid_from <= MAX_TERM,
            "valid_until",
            "must be at most ten years after valid_from",
        )
    return found

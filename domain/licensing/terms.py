"""Licence terms: what a creator allows others to do with a likeness, as an immutable value.

A change of mind is a new version. Everything made or sold carries the version and the hash that
it was made under, so that the rule of any old decision can be read again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from domain.licensing.canonical import canonical_text
from domain.licensing.conditions import (
    NO_QUOTAS,
    Approval,
    Collaborator,
    Derivatives,
    Exclusivity,
    Quotas,
    Revocation,
    SubjectRight,
    Topic,
)
from domain.licensing.royalty import Royalty, RoyaltyBase, Share, Tier, TierPeriod
from domain.licensing.territories import CODES
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
MAX_DISCLOSURES = 20
MAX_TIERS = 20
MAX_COLLABORATORS = 50
MAX_MODELS = 100
MAX_APPROVAL_HOURS = 720
MAX_SUBLICENCE_DEPTH = 5

Demand = Callable[[bool, str, str], None]
"""Holds it? If not, this is the field and this the message."""


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

    `models` are ids of likeness models, None for any. `allowed_stores` None means any store that
    nothing else forbids. No `territories_included` is the world, and what is excluded is excluded
    whatever includes it. `valid_until` is exclusive; `sell_off_days` after it, what is listed may
    still be sold. The creator has `approval_hours` to answer, and no answer is no. Amounts are
    minor units of whatever currency is sold in. `collaborators`, when there are any, share the
    whole royalty.

    A default is never changed, and what a check refuses is never widened for fields that have
    been published without it: what was stored once must be read, and hashed, as it was.
    """

    subject_rights: frozenset[SubjectRight] = frozenset(
        {SubjectRight.FACE, SubjectRight.BODY, SubjectRight.STYLE}
    )
    capabilities: frozenset[Capability] = frozenset({Capability.TRAIN, Capability.IMAGE})
    models: frozenset[str] | None = None
    weights_leave_platform: bool = False
    product_types: frozenset[ProductType] = frozenset(ProductType)
    purposes: frozenset[Purpose] = frozenset({Purpose.PERSONAL, Purpose.COMMERCIAL})
    allow_third_party_stores: bool = True
    allowed_stores: frozenset[UUID] | None = None
    denied_stores: frozenset[UUID] = frozenset()
    territories_included: frozenset[str] = frozenset()
    territories_excluded: frozenset[str] = frozenset()
    valid_from: datetime
    valid_until: datetime | None = None
    sell_off_days: int = 0
    approval: Approval = Approval.NONE
    approval_hours: int = 72
    blocked_topics: frozenset[Topic] = frozenset()
    blocked_keywords: tuple[str, ...] = ()
    required_disclosures: tuple[str, ...] = ()
    min_price_cents: int = 500
    min_prices: tuple[MinimumPrice, ...] = field(default=())
    max_discount_bps: int = 2000
    royalty_bps: int = 1000
    royalty_base: RoyaltyBase = RoyaltyBase.NET_OF_TAX
    royalty_tiers: tuple[Tier, ...] = ()
    tier_period: TierPeriod = TierPeriod.LIFETIME
    royalty_flat_cents: int = 0
    guarantee_cents: int = 0
    quotas: Quotas = NO_QUOTAS
    exclusivity: Exclusivity = Exclusivity.NONE
    sublicence_depth: int = 0
    sublicence_pass_through_bps: int = 0
    collaborators: tuple[Collaborator, ...] = ()
    attribution: str = ""
    derivatives: Derivatives = Derivatives.ALLOWED
    revocation: Revocation = Revocation.FOR_CAUSE
    revocation_notice_days: int = 0
    ai_training_of_outputs: bool = False

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise TermsInvalid("These licence terms cannot stand.", fields=problems)

    def minimum_price_cents(self, product_type: ProductType, currency: str) -> int:
        """The floor for a sale: the most specific one, a product type before a currency."""
        if not self.min_prices:
            return self.min_price_cents
        fitting = [
            (price.product_type is not None, price.currency is not None, price.amount_cents)
            for price in self.min_prices
            if price.product_type in (None, product_type) and price.currency in (None, currency)
        ]
        return max(fitting)[2] if fitting else self.min_price_cents

    @property
    def royalty(self) -> Royalty:
        """The rule for the royalty of a sale that nothing was sold before."""
        return Royalty(
            self.royalty_bps,
            base=self.royalty_base,
            tiers=self.royalty_tiers,
            flat_cents=self.royalty_flat_cents,
            shares=tuple(Share(party.creator_id, party.bps) for party in self.collaborators),
        )

    @property
    def worldwide(self) -> bool:
        return not self.territories_included and not self.territories_excluded

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: equal terms, equal hash."""
        return hashlib.sha256(canonical_json(self).encode()).hexdigest()


# The fields of the first version of this form: always written, because hashes were made of it.
_ALWAYS_WRITTEN = frozenset(
    {
        *("capabilities", "product_types", "purposes", "allow_third_party_stores"),
        *("allowed_stores", "denied_stores", "valid_from", "valid_until", "sell_off_days"),
        *("blocked_keywords", "min_price_cents", "min_prices", "max_discount_bps", "royalty_bps"),
    }
)


def canonical_json(terms: LicenceTerms) -> str:
    """One text for one meaning; a field that came later is left out while it says its default."""
    return canonical_text(terms, always=_ALWAYS_WRITTEN)


def _problems(terms: LicenceTerms) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}

    def demand(holds: bool, name: str, message: str) -> None:
        if not holds:
            found.setdefault(name, []).append(message)

    def between(lowest: int, highest: int, *names: str, unit: str = "") -> None:
        for name in names:
            value = getattr(terms, name)
            demand(
                lowest <= value <= highest,
                name,
                f"must be between {lowest} and {highest}{unit and ' ' + unit}",
            )

    between(0, BASIS_POINTS_PER_UNIT, "royalty_bps", "max_discount_bps", unit="basis points")
    between(0, BASIS_POINTS_PER_UNIT, "sublicence_pass_through_bps", unit="basis points")
    for name in ("min_price_cents", "royalty_flat_cents", "guarantee_cents"):
        demand(getattr(terms, name) >= 0, name, "must not be negative")
    demand(
        all(price.amount_cents >= 0 for price in terms.min_prices),
        "min_prices",
        "must not be negative",
    )
    between(0, 365, "sell_off_days", "revocation_notice_days", unit="days")
    between(1, MAX_APPROVAL_HOURS, "approval_hours", unit="hours")
    between(0, MAX_SUBLICENCE_DEPTH, "sublicence_depth")
    for name, most, what in (
        ("blocked_keywords", MAX_KEYWORDS, "keywords"),
        ("required_disclosures", MAX_DISCLOSURES, "disclosures"),
        ("royalty_tiers", MAX_TIERS, "tiers"),
        ("collaborators", MAX_COLLABORATORS, "collaborators"),
        ("models", MAX_MODELS, "models"),
    ):
        values = getattr(terms, name) or ()
        demand(len(values) <= most, name, f"must not name more than {most} {what}")
    demand(
        len(terms.denied_stores | (terms.allowed_stores or frozenset())) <= MAX_STORES,
        "denied_stores",
        f"must not name more than {MAX_STORES} stores",
    )
    for name in ("territories_included", "territories_excluded"):
        for code in sorted(getattr(terms, name) - CODES):
            demand(False, name, f"{code!r} is neither a country of ISO 3166 nor a known group")
    if terms.valid_until is not None:
        demand(terms.valid_until > terms.valid_from, "valid_until", "must be after valid_from")
        demand(
            terms.valid_until - terms.valid_from <= MAX_TERM,
            "valid_until",
            "must be at most ten years after valid_from",
        )
    _check_tiers(terms.royalty_tiers, demand)
    _check_parties(terms.collaborators, demand)
    for limit in fields(terms.quotas):
        value = getattr(terms.quotas, limit.name)
        demand(value is None or value >= 1, "quotas", f"{limit.name} must be at least 1")
    left = terms.attribution.replace("{creator}", "").replace("{title}", "")
    demand(
        "{" not in left and "}" not in left,
        "attribution",
        "may have {creator} and {title} filled in, and nothing else in braces",
    )
    return found


def _check_tiers(tiers: tuple[Tier, ...], demand: Demand) -> None:
    starts = [tier.from_cents for tier in tiers]
    demand(
        all(low < high for low, high in pairwise([0, *starts])),
        "royalty_tiers",
        "must begin above zero, each above the one before",
    )
    demand(
        all(0 <= tier.bps <= BASIS_POINTS_PER_UNIT for tier in tiers),
        "royalty_tiers",
        f"must be between 0 and {BASIS_POINTS_PER_UNIT} basis points",
    )


def _check_parties(parties: tuple[Collaborator, ...], demand: Demand) -> None:
    if not parties:
        return
    demand(
        len({party.creator_id for party in parties}) == len(parties),
        "collaborators",
        "must name each party once",
    )
    demand(all(party.bps > 0 for party in parties), "collaborators", "must each have a part")
    demand(
        sum(party.bps for party in parties) == BASIS_POINTS_PER_UNIT,
        "collaborators",
        f"must share {BASIS_POINTS_PER_UNIT} basis points, no more and no less",
    )

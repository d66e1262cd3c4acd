"""Publish licence terms. Publishing makes a new version; older ones stay readable for ever, because
sales point at them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.licensing.terms_view import TermsView, view_of
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.conditions import (
    Approval,
    Collaborator,
    Derivatives,
    Exclusivity,
    Quotas,
    Revocation,
    SubjectRight,
    Topic,
)
from domain.licensing.contradictions import contradictions
from domain.licensing.royalty import RoyaltyBase, Tier, TierPeriod
from domain.licensing.terms import (
    Capability,
    LicenceTerms,
    MinimumPrice,
    ProductType,
    Purpose,
    TermsInvalid,
)
from domain.licensing.version import TermsVersion
from domain.shared.errors import NotFound
from domain.shared.money import SUPPORTED_CURRENCIES

Bps = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Cents = Annotated[int, msgspec.Meta(ge=0, le=99_999_999)]
ManyCents = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000_000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Keyword = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Territory = Annotated[
    str, msgspec.Meta(pattern="^[A-Za-z]{2,8}$", examples=["DE", "EU"], description="ISO 3166-1")
]
Attribution = Annotated[str, msgspec.Meta(max_length=200, examples=["Likeness of {creator}"])]
Model = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class MinimumPriceInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount_cents: Cents
    product_type: ProductType | None = None
    currency: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z]{3}$")] | None = None


class TierInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `from_cents` of counted sales on, `bps` of what lies above it, until the next tier."""

    from_cents: ManyCents
    bps: Bps


class QuotasInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out has no limit."""

    generations_per_day: Limit | None = None
    units: Limit | None = None
    edition_size: Limit | None = None
    revenue_cents: ManyCents | None = None


class CollaboratorInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    creator_id: UUID
    bps: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class PublishTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out has its default, not the value of the version before.

    Territories are ISO 3166-1 codes and groups (EU, EEA, EFTA, DACH, BENELUX, NORDICS, BALTICS,
    USMCA, GCC, ANZ, ASEAN); none included is the world, and what is excluded is excluded whatever
    includes it. `models` are ids of likeness models.
    """

    subject_rights: list[SubjectRight] | None = None
    capabilities: list[Capability] | None = None
    models: Annotated[list[Model], msgspec.Meta(max_length=100)] | None = None
    weights_leave_platform: bool = False
    product_types: list[ProductType] | None = None
    purposes: list[Purpose] | None = None
    allow_third_party_stores: bool = True
    allowed_stores: Annotated[list[UUID], msgspec.Meta(max_length=500)] | None = None
    denied_stores: Annotated[list[UUID], msgspec.Meta(max_length=500)] = []
    territories_included: Annotated[list[Territory], msgspec.Meta(max_length=300)] = []
    territories_excluded: Annotated[list[Territory], msgspec.Meta(max_length=300)] = []
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    sell_off_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0
    approval: Approval = Approval.NONE
    approval_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 72
    blocked_topics: list[Topic] = []
    blocked_keywords: Annotated[list[Keyword], msgspec.Meta(max_length=500)] = []
    required_disclosures: Annotated[list[Sentence], msgspec.Meta(max_length=20)] = []
    min_price_cents: Cents = 500
    min_prices: Annotated[list[MinimumPriceInput], msgspec.Meta(max_length=100)] = []
    max_discount_bps: Bps = 2000
    royalty_bps: Bps = 1000
    royalty_base: RoyaltyBase = RoyaltyBase.NET_OF_TAX
    royalty_tiers: Annotated[list[TierInput], msgspec.Meta(max_length=20)] = []
    tier_period: TierPeriod = TierPeriod.LIFETIME
    royalty_flat_cents: Cents = 0
    guarantee_cents: Cents = 0
    quotas: QuotasInput = QuotasInput()
    exclusivity: Exclusivity = Exclusivity.NONE
    sublicence_depth: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    sublicence_pass_through_bps: Bps = 0
    collaborators: Annotated[list[CollaboratorInput], msgspec.Meta(max_length=50)] = []
    attribution: Annotated[
        str, msgspec.Meta(max_length=200, examples=["Likeness of {creator}"])
    ] = ""
    derivatives: Derivatives = Derivatives.ALLOWED
    revocation: Revocation = Revocation.FOR_CAUSE
    revocation_notice_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0
    ai_training_of_outputs: bool = False


async def publish_terms(
    creator_id: UUID,
    command: PublishTerms,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> TermsView:
    """Raises TermsInvalid, NotFound."""
    now = clock.now()
    terms = _terms(command, now=now)
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        await _check_collaborators(terms, uow=uow)
        latest = await uow.terms.latest(creator.id)
        version = TermsVersion(
            id=ids.new(),
            creator_id=creator.id,
            version=latest.version + 1 if latest else 1,
            hash=terms.hash,
            terms=terms,
            created_at=now,
            created_by=actor.user_id,
        )
        uow.terms.add(version)
        creator.terms_id = version.id
        uow.audit.record(
            "terms.published",
            actor=actor,
            on=("creator", creator.id),
            before={"version": latest.version, "hash": latest.hash} if latest else None,
            after={"version": version.version, "hash": version.hash},
        )
        await uow.commit()
    return view_of(version)


async def show_terms(creator_id: UUID, *, version: int | None, uow: UnitOfWork) -> TermsView:
    """A version of the terms; None for those in force. Public. Raises NotFound."""
    async with uow:
        creator = await uow.creators.get(creator_id)
        if version is not None:
            found = await uow.terms.by_version(creator_id, version)
        else:
            found = await uow.terms.get(creator.terms_id) if creator.terms_id else None
    if found is None:
        raise NotFound("licence terms", version)
    return view_of(found)


def _terms(command: PublishTerms, *, now: datetime) -> LicenceTerms:
    for name in ("valid_from", "valid_until"):
        instant = getattr(command, name)
        if instant is not None and instant.tzinfo is None:
            raise _invalid({name: ["must say its time zone"]})
    for price in command.min_prices:
        if price.currency and price.currency.lower() not in SUPPORTED_CURRENCIES:
            raise _invalid({"min_prices": [f"{price.currency!r} is not a supported currency"]})
    said = {name: getattr(command, name) for name in command.__struct_fields__}
    # None is the default of the form; where it is no default of the terms, it says nothing.
    terms = LicenceTerms(**{"valid_from": now, **_values(said)})
    if faults := contradictions(terms):
        raise _invalid(faults)
    return terms


def _values(said: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: _value(name, value) for name, value in said.items() if value is not None}
    values["blocked_keywords"] = tuple(dict.fromkeys(values["blocked_keywords"]))
    values["required_disclosures"] = tuple(dict.fromkeys(values["required_disclosures"]))
    return values


_TUPLES = frozenset(
    {"blocked_keywords", "required_disclosures", "min_prices", "royalty_tiers", "collaborators"}
)


def _value(name: str, value: Any) -> Any:
    match value:
        case [MinimumPriceInput(), *_]:
            return tuple(
                MinimumPrice(p.amount_cents, p.product_type, p.currency and p.currency.lower())
                for p in value
            )
        case [TierInput(), *_]:
            return tuple(Tier(tier.from_cents, tier.bps) for tier in value)
        case [CollaboratorInput(), *_]:
            return tuple(Collaborator(each.creator_id, each.bps) for each in value)
        case QuotasInput():
            return Quotas(**msgspec.structs.asdict(value))
        case list() if name.startswith("territories"):
            return frozenset(code.upper() for code in value)
        case list() if name in _TUPLES:
            return tuple(value)
        case list():
            return frozenset(value)
        case _:
            return value


async def _check_collaborators(terms: LicenceTerms, *, uow: UnitOfWork) -> None:
    named = {party.creator_id for party in terms.collaborators}
    unknown = named - {creator.id for creator in await uow.creators.many(named)} if named else None
    if unknown:
        raise _invalid({"collaborators": [f"{min(unknown)} is no creator"]})


def _invalid(faults: dict[str, list[str]]) -> TermsInvalid:
    return TermsInvalid("These licence terms cannot stand.", fields=faults)

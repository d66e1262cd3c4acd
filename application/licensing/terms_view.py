"""Licence terms as everybody may read them."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

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
from domain.licensing.royalty import RoyaltyBase, Tier, TierPeriod
from domain.licensing.terms import Capability, MinimumPrice, ProductType, Purpose
from domain.licensing.version import TermsVersion


class RoyaltyTier(msgspec.Struct, frozen=True, kw_only=True):
    from_cents: int
    bps: int


class TermsView(msgspec.Struct, frozen=True, kw_only=True):
    """One version, with every condition as it stands, said or not."""

    id: UUID
    creator_id: UUID
    version: int
    hash: str
    created_at: datetime
    subject_rights: list[SubjectRight]
    capabilities: list[Capability]
    models: list[str] | None
    weights_leave_platform: bool
    product_types: list[ProductType]
    purposes: list[Purpose]
    allow_third_party_stores: bool
    allowed_stores: list[UUID] | None
    denied_stores: list[UUID]
    territories_included: list[str]
    territories_excluded: list[str]
    valid_from: datetime
    valid_until: datetime | None
    sell_off_days: int
    approval: Approval
    approval_hours: int
    blocked_topics: list[Topic]
    blocked_keywords: list[str]
    required_disclosures: list[str]
    min_price_cents: int
    min_prices: list[MinimumPrice]
    max_discount_bps: int
    royalty_bps: int
    royalty_base: RoyaltyBase
    royalty_tiers: list[RoyaltyTier]
    tier_period: TierPeriod
    royalty_flat_cents: int
    guarantee_cents: int
    quotas: Quotas
    exclusivity: Exclusivity
    sublicence_depth: int
    sublicence_pass_through_bps: int
    collaborators: list[Collaborator]
    attribution: str
    derivatives: Derivatives
    revocation: Revocation
    revocation_notice_days: int
    ai_training_of_outputs: bool


def view_of(version: TermsVersion) -> TermsView:
    terms = version.terms
    return TermsView(
        id=version.id,
        creator_id=version.creator_id,
        version=version.version,
        hash=version.hash,
        created_at=version.created_at,
        **{f.name: _shown(getattr(terms, f.name)) for f in fields(terms)},
    )


def _shown(value: Any) -> Any:
    match value:
        case frozenset():
            return sorted(value)
        case tuple():
            return [
                RoyaltyTier(from_cents=each.from_cents, bps=each.bps)
                if isinstance(each, Tier)
                else each
                for each in value
            ]
        case _:
            return value

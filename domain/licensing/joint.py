"""The effective terms of a work of several: what all of them allow, under everybody's limits.

A use that the joint terms allow, each party's terms allow, and the other way round. Groups of
countries are resolved at an instant, for there is no name for what two groups share.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from domain.licensing.conditions import Approval, Derivatives, Exclusivity, Quotas, Revocation
from domain.licensing.royalty import RoyaltyBase, Tier
from domain.licensing.terms import LicenceTerms, MinimumPrice, ProductType
from domain.licensing.territories import COUNTRIES, permitted

T = TypeVar("T")

_NOWHERE = "AQ"
_STRICTER_DERIVATIVES = (
    Derivatives.ALLOWED,
    Derivatives.RECIPROCAL,
    Derivatives.APPROVAL,
    Derivatives.NONE,
)
_STRICTER_EXCLUSIVITY = (Exclusivity.NONE, Exclusivity.SOLE, Exclusivity.EXCLUSIVE)
_WIDER_REVOCATION = (Revocation.NONE, Revocation.FOR_CAUSE, Revocation.AT_WILL)
_WIDER_BASE = (RoyaltyBase.NET_OF_FEES, RoyaltyBase.NET_OF_TAX, RoyaltyBase.GROSS)


def joint(lead: LicenceTerms, *others: LicenceTerms, at: datetime) -> LicenceTerms:
    """Permissions intersected, the strictest limits, approvals and blocked words united.

    Who shares the royalty is what the lead's terms say. Raises TermsInvalid when there is no time
    at which all of them hold, or more words are blocked than terms can name.
    """
    every = (lead, *others)
    if not others:
        return lead
    included, excluded = _territories(every, at)
    until, sell_off_days = _end(every)
    return LicenceTerms(
        subject_rights=_common(terms.subject_rights for terms in every),
        capabilities=_common(terms.capabilities for terms in every),
        models=_common_or_any(terms.models for terms in every),
        weights_leave_platform=all(terms.weights_leave_platform for terms in every),
        product_types=_common(terms.product_types for terms in every),
        purposes=_common(terms.purposes for terms in every),
        allow_third_party_stores=all(terms.allow_third_party_stores for terms in every),
        allowed_stores=_common_or_any(terms.allowed_stores for terms in every),
        denied_stores=_union(terms.denied_stores for terms in every),
        territories_included=included,
        territories_excluded=excluded,
        valid_from=max(terms.valid_from for terms in every),
        valid_until=until,
        sell_off_days=sell_off_days,
        approval=_approval(every),
        approval_hours=min(terms.approval_hours for terms in every),
        blocked_topics=_union(terms.blocked_topics for terms in every),
        blocked_keywords=_in_order(terms.blocked_keywords for terms in every),
        required_disclosures=_in_order(terms.required_disclosures for terms in every),
        min_price_cents=max(terms.min_price_cents for terms in every),
        min_prices=_floors(every),
        max_discount_bps=min(terms.max_discount_bps for terms in every),
        royalty_bps=max(terms.royalty_bps for terms in every),
        royalty_base=_last(_WIDER_BASE, (terms.royalty_base for terms in every)),
        royalty_tiers=_tiers(every),
        tier_period=lead.tier_period,
        royalty_flat_cents=max(terms.royalty_flat_cents for terms in every),
        guarantee_cents=max(terms.guarantee_cents for terms in every),
        quotas=_quotas(every),
        exclusivity=_last(_STRICTER_EXCLUSIVITY, (terms.exclusivity for terms in every)),
        sublicence_depth=min(terms.sublicence_depth for terms in every),
        sublicence_pass_through_bps=min(terms.sublicence_pass_through_bps for terms in every),
        collaborators=lead.collaborators,
        attribution=" / ".join(
            _in_order((terms.attribution,) for terms in every if terms.attribution)
        ),
        derivatives=_last(_STRICTER_DERIVATIVES, (terms.derivatives for terms in every)),
        revocation=_last(_WIDER_REVOCATION, (terms.revocation for terms in every)),
        revocation_notice_days=min(terms.revocation_notice_days for terms in every),
        ai_training_of_outputs=all(terms.ai_training_of_outputs for terms in every),
    )


def _common(sets: Iterable[frozenset[T]]) -> frozenset[T]:
    first, *rest = sets
    return first.intersection(*rest)


def _common_or_any(sets: Iterable[frozenset[T] | None]) -> frozenset[T] | None:
    named = [each for each in sets if each is not None]
    return _common(named) if named else None


def _union(sets: Iterable[frozenset[T]]) -> frozenset[T]:
    return frozenset[T]().union(*sets)


def _in_order(texts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for each in texts for text in each))


def _last(order: Sequence[T], values: Iterable[T]) -> T:
    return max(values, key=order.index)


def _territories(
    every: Sequence[LicenceTerms], at: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    if all(terms.worldwide for terms in every):
        return frozenset(), frozenset()
    left = _common(
        permitted(terms.territories_included, terms.territories_excluded, at) for terms in every
    )
    if left == COUNTRIES:
        return frozenset(), frozenset()
    if not left:  # no countries at all cannot be said by naming none, which is the world
        return frozenset({_NOWHERE}), frozenset({_NOWHERE})
    return left, frozenset()


def _end(every: Sequence[LicenceTerms]) -> tuple[datetime | None, int]:
    """The earliest end, and the whole days after it for which all still let sell off."""
    ending = [(t.valid_until, t.sell_off_days) for t in every if t.valid_until is not None]
    if not ending:
        return None, 0
    until = min(end for end, _ in ending)
    sold_off = min(end + timedelta(days=days) for end, days in ending)
    return until, (sold_off - until).days


def _approval(every: Sequence[LicenceTerms]) -> Approval:
    """Two different ones ask about listings and generations alike: so does a first use."""
    asked = {terms.approval for terms in every} - {Approval.NONE}
    if len(asked) > 1:
        return Approval.FIRST_USE
    return asked.pop() if asked else Approval.NONE


def _floors(every: Sequence[LicenceTerms]) -> tuple[MinimumPrice, ...]:
    """The highest floor for each kind of thing, in each currency that somebody names and in all
    others."""
    if not any(terms.min_prices for terms in every):
        return ()
    named = {price.currency for terms in every for price in terms.min_prices} | {None}

    def floor(kind: ProductType, currency: str | None) -> int:
        return max(terms.minimum_price_cents(kind, currency or "") for terms in every)

    return tuple(
        MinimumPrice(floor(kind, currency), kind, currency)
        for kind in ProductType
        for currency in sorted(named, key=str)
    )


def _tiers(every: Sequence[LicenceTerms]) -> tuple[Tier, ...]:
    """At every sale the highest of the rates; where periods differ, the highest rate throughout."""
    tiered = [terms for terms in every if terms.royalty_tiers]
    if not tiered or len({terms.tier_period for terms in tiered}) > 1:
        return ()
    starts = sorted({tier.from_cents for terms in tiered for tier in terms.royalty_tiers})
    return tuple(Tier(start, max(rate_at(terms, start) for terms in every)) for start in starts)


def rate_at(terms: LicenceTerms, sold_cents: int) -> int:
    """The rate of a sale that begins where so much was sold before."""
    reached = [tier for tier in terms.royalty_tiers if tier.from_cents <= sold_cents]
    return max(reached).bps if reached else terms.royalty_bps


def _quotas(every: Sequence[LicenceTerms]) -> Quotas:
    strictest: Callable[[str], Any] = lambda name: min(  # noqa: E731
        (limit for t in every if (limit := getattr(t.quotas, name)) is not None), default=None
    )
    return Quotas(**{field.name: strictest(field.name) for field in fields(Quotas)})

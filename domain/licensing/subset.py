"""Whether a sublicence allows nothing that the licence above it does not: field by field.

`subset_problems` answers a reason for each field that is wider in the child than in the parent.
Where there is none, every use that the child allows the parent allows too.
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta

from domain.licensing.conditions import Approval, Derivatives, Exclusivity
from domain.licensing.decision import Reason
from domain.licensing.joint import rate_at
from domain.licensing.terms import LicenceTerms, ProductType
from domain.licensing.territories import EDITIONS, permitted
from domain.shared.errors import RuleRefused

_STRICTER = (Exclusivity.NONE, Exclusivity.SOLE, Exclusivity.EXCLUSIVE)
_STRICTER_DERIVATIVES = {
    Derivatives.ALLOWED: frozenset(Derivatives),
    Derivatives.APPROVAL: frozenset({Derivatives.APPROVAL, Derivatives.NONE}),
    Derivatives.RECIPROCAL: frozenset({Derivatives.RECIPROCAL, Derivatives.NONE}),
    Derivatives.NONE: frozenset({Derivatives.NONE}),
}


class SublicenceTooWide(RuleRefused):
    """The sublicence would allow what the licence does not; `reasons` names every field."""

    code = "sublicence_too_wide"

    def __init__(self, problems: tuple[Reason, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems), reasons=problems)


def subset_problems(child: LicenceTerms, parent: LicenceTerms) -> tuple[Reason, ...]:
    """A reason for each field in which the child is wider; none when it is a subset."""
    found: dict[str, Reason] = {}
    for field, holds in _checks(child, parent):
        if not holds and field not in found:
            found[field] = Reason(
                "wider_than_parent",
                field,
                None,
                None,
                f"The sublicence may not be wider in {field} than the licence above it.",
            )
    return tuple(found.values())


def _checks(child: LicenceTerms, parent: LicenceTerms) -> Iterator[tuple[str, bool]]:
    for name in ("subject_rights", "capabilities", "product_types", "purposes"):
        yield name, getattr(child, name) <= getattr(parent, name)
    for name in ("models", "allowed_stores"):
        above, below = getattr(parent, name), getattr(child, name)
        yield name, above is None or (below is not None and below <= above)
    for name in ("weights_leave_platform", "allow_third_party_stores", "ai_training_of_outputs"):
        yield name, getattr(parent, name) or not getattr(child, name)
    for name in ("denied_stores", "blocked_topics"):
        yield name, getattr(child, name) >= getattr(parent, name)
    for name in ("blocked_keywords", "required_disclosures"):
        yield name, set(getattr(child, name)) >= set(getattr(parent, name))
    for at in EDITIONS:
        within = permitted(parent.territories_included, parent.territories_excluded, at)
        own = permitted(child.territories_included, child.territories_excluded, at)
        yield "territories_included", own <= within
    yield from _time(child, parent)
    yield (
        "approval",
        parent.approval in (Approval.NONE, child.approval)
        or (child.approval is Approval.FIRST_USE),
    )
    yield (
        "min_prices",
        all(
            child.minimum_price_cents(kind, currency) >= parent.minimum_price_cents(kind, currency)
            for kind in ProductType
            for currency in _currencies(child, parent)
        ),
    )
    yield "max_discount_bps", child.max_discount_bps <= parent.max_discount_bps
    yield from _royalty(child, parent)
    for limit in fields(parent.quotas):
        above, below = getattr(parent.quotas, limit.name), getattr(child.quotas, limit.name)
        yield "quotas", above is None or (below is not None and below <= above)
    yield "exclusivity", _STRICTER.index(child.exclusivity) >= _STRICTER.index(parent.exclusivity)
    yield "sublicence_depth", child.sublicence_depth < parent.sublicence_depth
    yield "collaborators", child.collaborators == parent.collaborators
    yield "attribution", parent.attribution in ("", child.attribution)
    yield "derivatives", child.derivatives in _STRICTER_DERIVATIVES[parent.derivatives]
    yield "revocation", child.revocation is parent.revocation
    yield "revocation_notice_days", child.revocation_notice_days <= parent.revocation_notice_days


def _time(child: LicenceTerms, parent: LicenceTerms) -> Iterator[tuple[str, bool]]:
    yield "valid_from", child.valid_from >= parent.valid_from
    if parent.valid_until is None:
        return
    until = child.valid_until
    yield "valid_until", until is not None and until <= parent.valid_until
    if until is not None:
        own = until + timedelta(days=child.sell_off_days)
        yield "sell_off_days", own <= parent.valid_until + timedelta(days=parent.sell_off_days)


def _royalty(child: LicenceTerms, parent: LicenceTerms) -> Iterator[tuple[str, bool]]:
    yield "royalty_bps", child.royalty_bps >= parent.royalty_bps
    yield "royalty_base", child.royalty_base is parent.royalty_base
    yield "royalty_flat_cents", child.royalty_flat_cents >= parent.royalty_flat_cents
    starts = {tier.from_cents for terms in (child, parent) for tier in terms.royalty_tiers}
    yield "royalty_tiers", all(rate_at(child, at) >= rate_at(parent, at) for at in starts)
    yield "tier_period", not starts or child.tier_period is parent.tier_period


def _currencies(*every: LicenceTerms) -> set[str]:
    """Those that somebody names, and one that nobody does."""
    return {""} | {price.currency for t in every for price in t.min_prices if price.currency}

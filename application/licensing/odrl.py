"""Licence terms in ODRL 2.2, for machines that know that language and not ours.

An Offer of the creator: permissions to make, to sell, to derive and to sublicense as far as the
terms give them, prohibitions of the rest, duties, constraints. Where ODRL has no word,
the profile `urn:likeness:odrl:1` has one; docs/licensing.md lists them.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.ports.unit_of_work import UnitOfWork
from domain.licensing.conditions import Approval, Derivatives
from domain.licensing.terms import Capability, LicenceTerms
from domain.licensing.version import TermsVersion
from domain.shared.errors import NotFound

Node = dict[str, Any]

PROFILE = "urn:likeness:odrl:1"
CONTEXT = [
    "http://www.w3.org/ns/odrl.jsonld",
    {"likeness": f"{PROFILE}#", "cc": "http://creativecommons.org/ns#"},
]


async def show_odrl(creator_id: UUID, version: int, *, uow: UnitOfWork) -> Node:
    """One version as an ODRL Offer. Public. Raises NotFound."""
    async with uow:
        found = await uow.terms.by_version(creator_id, version)
    if found is None:
        raise NotFound("licence terms", version)
    return odrl_of(found)


def odrl_of(version: TermsVersion) -> Node:
    """Deterministic: one version, one document."""
    terms = version.terms
    likeness = f"urn:likeness:creator:{version.creator_id}"
    rules = {"permission": _permissions(terms), "prohibition": _prohibitions(terms)}
    for kind in rules.values():
        for rule in kind:
            rule["target"] = likeness
    return {
        "@context": CONTEXT,
        "@type": "Offer",
        "uid": f"urn:likeness:licence-terms:{version.id}",
        "profile": PROFILE,
        "assigner": likeness,
        "likeness:version": version.version,
        "likeness:hash": version.hash,
        "likeness:royalty": _royalty(terms),
        "likeness:exclusivity": str(terms.exclusivity),
        "likeness:revocation": str(terms.revocation),
        "likeness:revocationNoticeDays": terms.revocation_notice_days,
        **rules,
    }


def _permissions(terms: LicenceTerms) -> list[Node]:
    standing = [*_period(terms, grace_days=0), *_rights(terms), _any("purpose", terms.purposes)]
    found = [
        _rule(_action(capability), _making(terms, capability, standing), _duties(terms))
        for capability in sorted(terms.capabilities)
    ]
    found.append(_rule("sell", _selling(terms), _duties(terms, selling=True)))
    if terms.derivatives is not Derivatives.NONE:
        found.append(_rule("derive", standing, _derived(terms)))
    if terms.sublicence_depth:
        depth = _limit("likeness:sublicenceDepth", terms.sublicence_depth)
        share = _limit("likeness:passThroughBps", terms.sublicence_pass_through_bps, "eq")
        found.append(_rule("grantUse", [depth, share], []))
    if terms.weights_leave_platform:
        found.append(_rule("likeness:exportWeights", [], []))
    if terms.ai_training_of_outputs:
        found.append(_rule("likeness:trainOtherModels", [], []))
    return found


def _prohibitions(terms: LicenceTerms) -> list[Node]:
    found = [
        _rule(_action(capability), [], [])
        for capability in sorted(set(Capability) - terms.capabilities)
    ]
    if terms.derivatives is Derivatives.NONE:
        found.append(_rule("derive", [], []))
    if not terms.sublicence_depth:
        found.append(_rule("grantUse", [], []))
    if not terms.weights_leave_platform:
        found.append(_rule("likeness:exportWeights", [], []))
    if not terms.ai_training_of_outputs:
        found.append(_rule("likeness:trainOtherModels", [], []))
    if terms.blocked_topics:
        found.append(_rule("use", [_any("likeness:topic", terms.blocked_topics)], []))
    if terms.blocked_keywords:
        found.append(_rule("use", [_any("likeness:keyword", terms.blocked_keywords)], []))
    if terms.denied_stores:
        found.append(_rule("sell", [_any("likeness:store", terms.denied_stores)], []))
    if terms.territories_excluded:
        found.append(_rule("sell", [_any("spatial", terms.territories_excluded)], []))
    return found


def _making(terms: LicenceTerms, capability: Capability, standing: list[Node]) -> list[Node]:
    if capability is Capability.TRAIN:
        return [*_period(terms, grace_days=0), *_rights(terms)]
    found = list(standing)
    if terms.models is not None:
        found.append(_any("likeness:model", terms.models))
    if terms.quotas.generations_per_day is not None:
        found.append(_limit("likeness:generationsPerDay", terms.quotas.generations_per_day))
    return found


def _selling(terms: LicenceTerms) -> list[Node]:
    found = [
        *_period(terms, grace_days=terms.sell_off_days),
        *_rights(terms),
        _any("product", terms.product_types),
        _any("purpose", terms.purposes),
        _limit("likeness:minimumPriceCents", terms.min_price_cents, "gteq"),
        _limit("likeness:discountBps", terms.max_discount_bps),
    ]
    for price in terms.min_prices:
        limit = _limit("likeness:minimumPriceCents", price.amount_cents, "gteq")
        limit["likeness:productType"] = price.product_type and str(price.product_type)
        limit["likeness:currency"] = price.currency
        found.append(limit)
    if not terms.allow_third_party_stores:
        found.append(_any("likeness:store", ["likeness:creatorsOwn"]))
    elif terms.allowed_stores is not None:
        found.append(_any("likeness:store", ["likeness:creatorsOwn", *terms.allowed_stores]))
    if terms.territories_included:
        found.append(_any("spatial", terms.territories_included))
    quotas = terms.quotas
    for name, value in (
        ("count", quotas.units),
        ("likeness:editionSize", quotas.edition_size),
        ("likeness:revenueCents", quotas.revenue_cents),
    ):
        if value is not None:
            found.append(_limit(name, value))
    return found


def _duties(terms: LicenceTerms, *, selling: bool = False) -> list[Node]:
    found: list[Node] = [
        {"action": "inform", "likeness:text": text} for text in terms.required_disclosures
    ]
    if terms.attribution:
        found.append({"action": "attribute", "likeness:text": terms.attribution})
    asked = {Approval.FIRST_USE, Approval.PER_PRODUCT if selling else Approval.PER_GENERATION}
    if terms.approval in asked:
        found.append(_approval(terms))
    if selling:
        found.append({"action": "compensate", "likeness:rule": "likeness:royalty"})
    return found


def _derived(terms: LicenceTerms) -> list[Node]:
    match terms.derivatives:
        case Derivatives.APPROVAL:
            return [_approval(terms)]
        case Derivatives.RECIPROCAL:
            return [{"action": "cc:ShareAlike"}]
        case _:
            return []


def _approval(terms: LicenceTerms) -> Node:
    return {
        "action": "obtainConsent",
        "likeness:approval": str(terms.approval),
        "likeness:answerHours": terms.approval_hours,
    }


def _royalty(terms: LicenceTerms) -> Node:
    return {
        "likeness:rateBps": terms.royalty_bps,
        "likeness:base": str(terms.royalty_base),
        "likeness:tiers": [
            {"likeness:fromCents": tier.from_cents, "likeness:rateBps": tier.bps}
            for tier in terms.royalty_tiers
        ],
        "likeness:tierPeriod": str(terms.tier_period),
        "likeness:flatCents": terms.royalty_flat_cents,
        "likeness:guaranteeCents": terms.guarantee_cents,
        "likeness:shares": [
            {"assignee": f"urn:likeness:creator:{party.creator_id}", "likeness:bps": party.bps}
            for party in terms.collaborators
        ],
    }


def _period(terms: LicenceTerms, *, grace_days: int) -> list[Node]:
    found = [_instant("gteq", terms.valid_from.isoformat())]
    if terms.valid_until is not None:
        end = terms.valid_until + timedelta(days=grace_days)
        found.append(_instant("lt", end.isoformat()))
    return found


def _rights(terms: LicenceTerms) -> list[Node]:
    return [_any("likeness:subjectRight", terms.subject_rights)]


def _rule(action: str, constraints: list[Node], duties: list[Node]) -> Node:
    rule: Node = {"action": action}
    if constraints:
        rule["constraint"] = list(constraints)
    if duties:
        rule["duty"] = duties
    return rule


def _any(operand: str, values: Iterable[object]) -> Node:
    return {
        "leftOperand": operand,
        "operator": "isAnyOf",
        "rightOperand": sorted(str(value) for value in values),
    }


def _limit(operand: str, value: int, operator: str = "lteq") -> Node:
    return {"leftOperand": operand, "operator": operator, "rightOperand": value}


def _instant(operator: str, value: str) -> Node:
    right = {"@value": value, "@type": "xsd:dateTime"}
    return {"leftOperand": "dateTime", "operator": operator, "rightOperand": right}


def _action(capability: Capability) -> str:
    return f"likeness:{capability}"

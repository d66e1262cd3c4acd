"""What holds for every use: why, when, in which words, by whose leave."""

from collections.abc import Iterator
from datetime import timedelta

from domain.licensing.conditions import Approval, Derivatives, Exclusivity
from domain.licensing.decision import Reason, listed, unknown
from domain.licensing.keywords import Ban, bans, find
from domain.licensing.rules.selling import SELLING
from domain.licensing.terms import LicenceTerms
from domain.licensing.use import Action, Grant, Use


def purpose(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.action is Action.TRAIN:
        return
    if use.purpose is None:
        yield unknown("purpose")
    elif use.purpose not in terms.purposes:
        yield Reason(
            "purpose_not_allowed",
            "purpose",
            listed(terms.purposes),
            use.purpose,
            f"The licence does not allow the purpose {use.purpose}.",
        )


def term(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.at < terms.valid_from:
        yield Reason(
            "not_yet_valid",
            "at",
            terms.valid_from.isoformat(),
            use.at.isoformat(),
            "The licence is not valid yet.",
        )
    if terms.valid_until is None:
        return
    grace = timedelta(days=terms.sell_off_days if use.action is Action.SELL else 0)
    if use.at >= terms.valid_until + grace:
        yield Reason(
            "expired",
            "at",
            (terms.valid_until + grace).isoformat(),
            use.at.isoformat(),
            "The licence has ended.",
        )


def revocation(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.revoked_from is not None and use.at >= use.revoked_from:
        yield Reason(
            "revoked",
            "at",
            use.revoked_from.isoformat(),
            use.at.isoformat(),
            "The creator has revoked the licence.",
        )


def texts(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """What the platform bans is banned whatever the terms say; they can only add to it."""
    if not use.texts:
        return
    index = bans(terms.blocked_keywords, terms.blocked_topics, use.at)
    for field, text in use.texts:
        for found in find(text, index):
            yield _banned(field, found)


def _banned(field: str, found: Ban) -> Reason:
    word = found.word
    if found.topic is not None:
        return Reason(
            "blocked_topic",
            field,
            found.topic,
            word,
            f"The licence blocks {found.topic}, and {word!r} stands in the {field}.",
        )
    if found.by_platform:
        return Reason(
            "banned_by_platform", field, None, word, f"Nobody may use {word!r} in the {field}."
        )
    return Reason(
        "blocked_keyword", field, word, word, f"The licence blocks {word!r} in the {field}."
    )


def exclusivity(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """Who holds a grant may sell, and with a sole one the creator beside them."""
    if use.action not in SELLING:
        return
    if use.grant is Grant.TAKEN:
        yield Reason(
            "granted_to_another",
            "grant",
            Grant.HELD,
            use.grant,
            "Somebody else has the exclusive right to sell this.",
        )
        return
    if terms.exclusivity is Exclusivity.NONE or use.grant is Grant.HELD:
        return
    own = use.seller is not None and use.seller.is_creators_own
    if own and terms.exclusivity is Exclusivity.SOLE:
        return
    if use.grant is None:
        yield unknown("grant")
        return
    yield Reason(
        "grant_needed",
        "grant",
        Grant.HELD,
        use.grant,
        "Only who holds a grant may sell under this licence.",
    )


def sublicence(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.sublicence_depth > terms.sublicence_depth:
        yield Reason(
            "sublicence_too_deep",
            "sublicence_depth",
            terms.sublicence_depth,
            use.sublicence_depth,
            "The licence may not be handed on this far.",
        )


def derivative(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    if use.derivative and terms.derivatives is Derivatives.NONE:
        yield Reason(
            "derivative_not_allowed",
            "derivative",
            "no",
            "yes",
            "The licence does not allow to make something new of what was made.",
        )


def refused(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """A no of the creator, where their word is asked."""
    if use.approved is False and asks_approval(terms, use):
        yield Reason(
            "approval_refused", "approved", "yes", "no", "The creator has not approved this use."
        )


def approval(terms: LicenceTerms, use: Use) -> Iterator[Reason]:
    """Nothing against the use, but the creator's word is missing."""
    if use.approved is None and asks_approval(terms, use):
        yield Reason(
            "approval_needed", "approved", "yes", None, "The creator has to approve this use first."
        )


def asks_approval(terms: LicenceTerms, use: Use) -> bool:
    """Whether the creator's word is needed: never for what they do themselves."""
    if terms.approval is Approval.NONE and not use.derivative:
        return False
    if use.by_creator or use.action is Action.TRAIN:
        return False
    if use.seller is not None and use.seller.is_creators_own:
        return False
    if use.derivative and terms.derivatives is Derivatives.APPROVAL:
        return True
    match terms.approval:
        case Approval.NONE:
            return False
        case Approval.FIRST_USE:
            return True
        case Approval.PER_PRODUCT:
            return use.action in SELLING
        case Approval.PER_GENERATION:
            return use.action is Action.GENERATE

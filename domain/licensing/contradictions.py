"""Terms that can be read but cannot be meant: asked when they are published, never afterwards.

What was published once stays readable whatever is added here.
"""

from collections.abc import Iterator
from typing import Any

from domain.licensing.conditions import Revocation, Topic
from domain.licensing.keywords import bans, find, fold
from domain.licensing.rules.making import IMPLIED_RIGHTS
from domain.licensing.terms import LicenceTerms, Purpose
from domain.licensing.territories import permitted

_SPOKEN_OF = {Purpose.POLITICAL: Topic.POLITICS, Purpose.ADULT: Topic.NUDITY}
"""Purposes that make no sense without their topic."""


def contradictions(terms: LicenceTerms) -> dict[str, list[str]]:
    """Each field that another one gives the lie to, with its messages."""
    found: dict[str, list[str]] = {}
    for ask in (_rights, _stores, _territories, _time, _words, _prices, _limits):
        for field, message in ask(terms):
            found.setdefault(field, []).append(message)
    return found


Found = Iterator[tuple[str, str]]


def _rights(terms: LicenceTerms) -> Found:
    for capability in sorted(terms.capabilities):
        for right in sorted(IMPLIED_RIGHTS[capability] - terms.subject_rights):
            yield (
                "capabilities",
                f"{capability} takes the {right} of the person, which subject_rights do not grant",
            )


def _stores(terms: LicenceTerms) -> Found:
    if terms.allowed_stores is None:
        return
    if not terms.allow_third_party_stores:
        yield "allowed_stores", "names stores, and allow_third_party_stores lets none of them sell"
    if terms.allowed_stores & terms.denied_stores:
        yield "denied_stores", "excludes a store that allowed_stores names"


def _territories(terms: LicenceTerms) -> Found:
    included, excluded = terms.territories_included, terms.territories_excluded
    if not permitted(included, excluded, terms.valid_from):
        yield "territories_excluded", "leaves no country to sell to"


def _time(terms: LicenceTerms) -> Found:
    if terms.sell_off_days and terms.valid_until is None:
        yield "sell_off_days", "needs valid_until: what does not end is not sold off"
    if terms.revocation_notice_days and terms.revocation is Revocation.NONE:
        yield "revocation_notice_days", "needs a revocation: what is never revoked has no notice"


def _words(terms: LicenceTerms) -> Found:
    for keyword in terms.blocked_keywords:
        if not fold(keyword):
            yield "blocked_keywords", f"{keyword!r} has neither letter nor digit and blocks nothing"
    for purpose, topic in _SPOKEN_OF.items():
        if purpose in terms.purposes and topic in terms.blocked_topics:
            yield "blocked_topics", f"{topic} cannot be blocked where purposes allow {purpose}"
    index = bans(terms.blocked_keywords, terms.blocked_topics, terms.valid_from)
    shown: list[tuple[str, Any]] = [("attribution", terms.attribution)]
    shown += [("required_disclosures", text) for text in terms.required_disclosures]
    for field, text in shown:
        for ban in find(text, index):
            yield field, f"says {ban.word!r}, which is blocked"


def _prices(terms: LicenceTerms) -> Found:
    named = [(price.product_type, price.currency) for price in terms.min_prices]
    for product_type, currency in sorted(set(named), key=str):
        if named.count((product_type, currency)) > 1:
            what = f"{product_type or 'anything'} in {currency or 'any currency'}"
            yield "min_prices", f"has two prices of {what}"


def _limits(terms: LicenceTerms) -> Found:
    units, edition_size = terms.quotas.units, terms.quotas.edition_size
    if units is not None and edition_size is not None and edition_size > units:
        yield "quotas", "edition_size is more than all units"
    if terms.sublicence_pass_through_bps and not terms.sublicence_depth:
        yield "sublicence_pass_through_bps", "needs a sublicence_depth: nobody may sublicense"

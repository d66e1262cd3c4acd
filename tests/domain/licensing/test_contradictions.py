"""Terms that cannot be meant are named field by field when they are published."""

import pytest

from domain.licensing.conditions import Quotas, Revocation, SubjectRight, Topic
from domain.licensing.contradictions import contradictions
from domain.licensing.terms import Capability, MinimumPrice, ProductType, Purpose
from tests.builders import terms
from tests.domain.licensing.uses import OTHER_STORE, STORE

ONE = frozenset({STORE})


def test_ordinary_terms_contradict_nothing() -> None:
    assert contradictions(terms()) == {}


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({"capabilities": frozenset({Capability.VOICE})}, "capabilities"),
        ({"subject_rights": frozenset({SubjectRight.FACE})}, "capabilities"),
        ({"allow_third_party_stores": False, "allowed_stores": ONE}, "allowed_stores"),
        ({"allowed_stores": ONE, "denied_stores": ONE | {OTHER_STORE}}, "denied_stores"),
        (
            {"territories_included": frozenset({"DE"}), "territories_excluded": frozenset({"EU"})},
            "territories_excluded",
        ),
        ({"sell_off_days": 1}, "sell_off_days"),
        (
            {"revocation": Revocation.NONE, "revocation_notice_days": 1},
            "revocation_notice_days",
        ),
        ({"blocked_keywords": ("—",)}, "blocked_keywords"),
        (
            {
                "purposes": frozenset({Purpose.POLITICAL}),
                "blocked_topics": frozenset({Topic.POLITICS}),
            },
            "blocked_topics",
        ),
        ({"blocked_keywords": ("ada",), "attribution": "by Ada"}, "attribution"),
        (
            {"blocked_keywords": ("ai",), "required_disclosures": ("Made with AI.",)},
            "required_disclosures",
        ),
        (
            {"min_prices": (MinimumPrice(1, ProductType.SHIRT),) * 2},
            "min_prices",
        ),
        ({"quotas": Quotas(units=1, edition_size=2)}, "quotas"),
        ({"sublicence_pass_through_bps": 1}, "sublicence_pass_through_bps"),
    ],
)
def test_a_contradiction_is_told_at_its_field(conditions: dict[str, object], field: str) -> None:
    assert list(contradictions(terms(**conditions))) == [field]


def test_all_contradictions_are_told_at_once() -> None:
    found = contradictions(
        terms(sell_off_days=1, sublicence_pass_through_bps=1, blocked_keywords=("—", "…"))
    )
    assert list(found) == ["sell_off_days", "blocked_keywords", "sublicence_pass_through_bps"]
    assert len(found["blocked_keywords"]) == 2

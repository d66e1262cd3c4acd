"""Terms are a value: equal meaning, equal hash; what cannot stand names all its faults."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from domain.licensing.royalty import RoyaltyBase, Share, Tier, TierPeriod
from domain.licensing.terms import (
    MAX_TERM,
    Capability,
    LicenceTerms,
    MinimumPrice,
    ProductType,
    Purpose,
    TermsInvalid,
    canonical_json,
)
from tests.builders import NOON, terms

CHANGES: dict[str, object] = {
    "subject_rights": frozenset({SubjectRight.VOICE}),
    "capabilities": frozenset({Capability.VOICE}),
    "models": frozenset({"a-model"}),
    "weights_leave_platform": True,
    "product_types": frozenset({ProductType.PRINT}),
    "purposes": frozenset({Purpose.EDITORIAL}),
    "allow_third_party_stores": False,
    "allowed_stores": frozenset({UUID(int=1)}),
    "denied_stores": frozenset({UUID(int=1)}),
    "territories_included": frozenset({"EU"}),
    "territories_excluded": frozenset({"EU"}),
    "valid_from": NOON,
    "valid_until": NOON + timedelta(days=1),
    "sell_off_days": 1,
    "approval": Approval.PER_PRODUCT,
    "approval_hours": 73,
    "blocked_topics": frozenset({Topic.ALCOHOL}),
    "blocked_keywords": ("war",),
    "required_disclosures": ("Made with AI.",),
    "min_price_cents": 501,
    "min_prices": (MinimumPrice(500),),
    "max_discount_bps": 2001,
    "royalty_bps": 1001,
    "royalty_base": RoyaltyBase.GROSS,
    "royalty_tiers": (Tier(1, 1000),),
    "tier_period": TierPeriod.PRODUCT,
    "royalty_flat_cents": 1,
    "guarantee_cents": 1,
    "quotas": Quotas(units=1),
    "exclusivity": Exclusivity.SOLE,
    "sublicence_depth": 1,
    "sublicence_pass_through_bps": 1,
    "collaborators": (Collaborator(UUID(int=1), 10_000),),
    "attribution": "{creator}",
    "derivatives": Derivatives.NONE,
    "revocation": Revocation.NONE,
    "revocation_notice_days": 1,
    "ai_training_of_outputs": True,
}


def test_the_hash_of_the_default_terms_never_changes() -> None:
    """Old sales carry it: a change of the canonical text would orphan them."""
    assert terms().hash == "d9893bb91ab4a02bed1e54d162edec782642fc354ed32c3b86b6972ca03a2844"


@given(st.permutations(list(ProductType)), st.permutations([UUID(int=n) for n in range(6)]))
def test_the_order_in_which_a_set_was_built_does_not_matter(
    types: list[ProductType], stores: list[UUID]
) -> None:
    built = terms(product_types=frozenset(types), denied_stores=frozenset(stores))
    same = terms(denied_stores=frozenset(UUID(int=n) for n in range(6)))
    assert built.hash == same.hash


@pytest.mark.parametrize("hours", [-8, 0, 5.5, 14])
def test_an_instant_is_the_same_in_every_time_zone(hours: float) -> None:
    zone = timezone(timedelta(hours=hours))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    elsewhere = terms(valid_from=start.astimezone(zone), valid_until=NOON.astimezone(zone))
    assert elsewhere.hash == terms(valid_from=start, valid_until=NOON).hash


@pytest.mark.parametrize("name", [f.name for f in fields(LicenceTerms)])
def test_every_condition_is_part_of_the_hash(name: str) -> None:
    assert replace(terms(), **{name: CHANGES[name]}).hash != terms().hash  # type: ignore[arg-type]


def test_the_canonical_text_is_sorted_and_has_no_white_space() -> None:
    text = canonical_json(terms(blocked_keywords=("Ünïcode word",)))
    assert text.startswith('{"allow_third_party_stores":true,"allowed_stores":null,')
    assert '"blocked_keywords":["Ünïcode word"]' in text
    assert ": " not in text
    assert ", " not in text


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(TermsInvalid) as refused:
        terms(
            royalty_bps=10_001,
            max_discount_bps=-1,
            min_price_cents=-1,
            min_prices=(MinimumPrice(-1),),
            sell_off_days=366,
            blocked_keywords=("x",) * 501,
            denied_stores=frozenset(uuid4() for _ in range(501)),
            valid_until=NOON - timedelta(days=30),
        )
    assert set(refused.value.facts["fields"]) == {  # type: ignore[call-overload]
        "royalty_bps",
        "max_discount_bps",
        "min_price_cents",
        "min_prices",
        "sell_off_days",
        "blocked_keywords",
        "denied_stores",
        "valid_until",
    }


@pytest.mark.parametrize(
    "limit",
    [
        {"royalty_bps": 0},
        {"royalty_bps": 10_000},
        {"max_discount_bps": 0},
        {"max_discount_bps": 10_000},
        {"min_price_cents": 0},
        {"sell_off_days": 365},
        {"blocked_keywords": ("x",) * 500},
        {"valid_from": NOON, "valid_until": NOON + MAX_TERM},
        {"valid_from": NOON, "valid_until": NOON + timedelta(microseconds=1)},
    ],
    ids=str,
)
def test_limits_are_included(limit: dict[str, object]) -> None:
    assert len(terms(**limit).hash) == 64


@pytest.mark.parametrize("end", [NOON, NOON + MAX_TERM + timedelta(microseconds=1)])
def test_a_term_is_longer_than_nothing_and_at_most_ten_years(end: datetime) -> None:
    with pytest.raises(TermsInvalid) as refused:
        terms(valid_from=NOON, valid_until=end)
    assert list(refused.value.facts["fields"]) == ["valid_until"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("faults", "field"),
    [
        ({"territories_included": frozenset({"XX"})}, "territories_included"),
        ({"territories_excluded": frozenset({"us"})}, "territories_excluded"),
        ({"approval_hours": 0}, "approval_hours"),
        ({"approval_hours": 721}, "approval_hours"),
        ({"required_disclosures": ("x",) * 21}, "required_disclosures"),
        ({"models": frozenset(str(n) for n in range(101))}, "models"),
        ({"royalty_tiers": (Tier(0, 10),)}, "royalty_tiers"),
        ({"royalty_tiers": (Tier(10, 10), Tier(10, 20))}, "royalty_tiers"),
        ({"royalty_tiers": (Tier(20, 10), Tier(10, 20))}, "royalty_tiers"),
        ({"royalty_tiers": (Tier(1, 10_001),)}, "royalty_tiers"),
        ({"royalty_tiers": tuple(Tier(n, 1) for n in range(1, 22))}, "royalty_tiers"),
        ({"royalty_flat_cents": -1}, "royalty_flat_cents"),
        ({"guarantee_cents": -1}, "guarantee_cents"),
        ({"quotas": Quotas(generations_per_day=0)}, "quotas"),
        ({"quotas": Quotas(units=0)}, "quotas"),
        ({"quotas": Quotas(edition_size=0)}, "quotas"),
        ({"quotas": Quotas(revenue_cents=0)}, "quotas"),
        ({"sublicence_depth": -1}, "sublicence_depth"),
        ({"sublicence_depth": 6}, "sublicence_depth"),
        ({"sublicence_pass_through_bps": 10_001}, "sublicence_pass_through_bps"),
        ({"collaborators": (Collaborator(UUID(int=1), 9_999),)}, "collaborators"),
        (
            {"collaborators": (Collaborator(UUID(int=1), 5_000), Collaborator(UUID(int=1), 5_000))},
            "collaborators",
        ),
        (
            {"collaborators": (Collaborator(UUID(int=1), 10_000), Collaborator(UUID(int=2), 0))},
            "collaborators",
        ),
        ({"attribution": "by {owner}"}, "attribution"),
        ({"attribution": "by {"}, "attribution"),
        ({"revocation_notice_days": 366}, "revocation_notice_days"),
    ],
)
def test_a_fault_is_told_at_its_field(faults: dict[str, object], field: str) -> None:
    with pytest.raises(TermsInvalid) as refused:
        terms(**faults)
    assert list(refused.value.facts["fields"]) == [field]  # type: ignore[call-overload]


def test_the_royalty_rule_has_every_part_that_the_terms_name() -> None:
    rule = terms(
        royalty_bps=800,
        royalty_base=RoyaltyBase.GROSS,
        royalty_tiers=(Tier(100_000, 1200),),
        royalty_flat_cents=25,
        collaborators=(Collaborator(UUID(int=1), 7_000), Collaborator(UUID(int=2), 3_000)),
    ).royalty
    assert rule == (
        800,
        RoyaltyBase.GROSS,
        (Tier(100_000, 1200),),
        25,
        (Share(UUID(int=1), 7_000), Share(UUID(int=2), 3_000)),
        0,
        0,
    )


@given(st.sets(st.sampled_from(sorted(CHANGES))), st.sets(st.sampled_from(sorted(CHANGES))))
def test_equal_hash_means_equal_terms(one: set[str], other: set[str]) -> None:
    first = replace(terms(), **{name: CHANGES[name] for name in one})  # type: ignore[arg-type]
    second = replace(terms(), **{name: CHANGES[name] for name in other})  # type: ignore[arg-type]
    assert (first.hash == second.hash) == (first == second)

"""Joint terms allow what every party's allow; a subset allows nothing that its parent does not."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.licensing.conditions import (
    Approval,
    Derivatives,
    Exclusivity,
    Quotas,
    SubjectRight,
    Topic,
)
from domain.licensing.decision import Outcome
from domain.licensing.evaluate import evaluate
from domain.licensing.joint import joint
from domain.licensing.royalty import Tier
from domain.licensing.subset import subset_problems
from domain.licensing.terms import Capability, LicenceTerms, MinimumPrice, ProductType, Purpose
from domain.licensing.use import Action, Grant, Price, Seller, Usage, Use
from tests.builders import NOON, terms
from tests.domain.licensing.uses import OTHER_STORE, STORE

DAY = timedelta(days=1)


def some(kind: Any) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(list(kind)), min_size=1)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


COUNTRIES = st.frozensets(st.sampled_from(["US", "DE", "EU", "DACH", "GB", "AQ"]), max_size=3)
SMALL = st.integers(1, 4)
STORES = st.frozensets(st.sampled_from([STORE, OTHER_STORE]))
LICENCES: st.SearchStrategy[LicenceTerms] = st.builds(
    LicenceTerms,
    subject_rights=some(SubjectRight),
    capabilities=some(Capability),
    weights_leave_platform=st.booleans(),
    product_types=some(ProductType),
    purposes=some(Purpose),
    allow_third_party_stores=st.booleans(),
    allowed_stores=maybe(STORES),
    denied_stores=STORES.filter(lambda stores: len(stores) < 2),
    territories_included=COUNTRIES,
    territories_excluded=COUNTRIES,
    valid_from=st.sampled_from([NOON - 2 * DAY, NOON - DAY]),
    valid_until=maybe(st.sampled_from([NOON, NOON + DAY, NOON + 3 * DAY])),
    sell_off_days=st.integers(0, 3),
    approval=st.sampled_from(Approval),
    blocked_topics=st.frozensets(st.sampled_from(Topic), max_size=2),
    blocked_keywords=st.sampled_from([(), ("casino",), ("harbour",)]),
    min_price_cents=st.sampled_from([0, 500, 2500]),
    min_prices=st.lists(
        st.builds(
            MinimumPrice,
            st.sampled_from([100, 2400, 3000]),
            maybe(st.sampled_from(ProductType)),
            maybe(st.sampled_from(["usd", "eur"])),
        ),
        max_size=2,
    ).map(tuple),
    max_discount_bps=st.sampled_from([0, 2000, 10_000]),
    royalty_bps=st.integers(0, 2000),
    royalty_tiers=st.sampled_from([(), (Tier(100, 500),), (Tier(50, 900), Tier(100, 300))]),
    quotas=st.builds(
        Quotas,
        generations_per_day=maybe(SMALL),
        units=maybe(SMALL),
        edition_size=maybe(SMALL),
        revenue_cents=maybe(st.sampled_from([2500, 9000])),
    ),
    exclusivity=st.sampled_from(Exclusivity),
    sublicence_depth=st.integers(0, 2),
    derivatives=st.sampled_from(Derivatives),
    ai_training_of_outputs=st.booleans(),
)
USES: st.SearchStrategy[Use] = st.builds(
    Use,
    action=st.sampled_from(Action),
    at=st.sampled_from([NOON, NOON + DAY, NOON + 2 * DAY]),
    capability=maybe(st.sampled_from(Capability)),
    takes_weights=st.booleans(),
    trains_ai=st.booleans(),
    product_type=maybe(st.sampled_from(ProductType)),
    purpose=maybe(st.sampled_from(Purpose)),
    seller=maybe(st.builds(Seller, st.sampled_from([STORE, OTHER_STORE]), st.booleans())),
    price=maybe(
        st.builds(
            Price,
            st.sampled_from([2500, 3000]),
            st.sampled_from([2400, 2500]),
            st.sampled_from(["usd", "eur", "gbp"]),
        )
    ),
    territories=maybe(some(["US", "DE", "FR", "GB"])),
    texts=st.sampled_from([(), (("prompt", "at a harbour"),), (("title", "a casino"),)]),
    by_creator=st.booleans(),
    approved=st.sampled_from([None, True, False]),
    derivative=st.booleans(),
    usage=st.builds(
        Usage,
        generations_today=maybe(st.integers(0, 3)),
        units_sold=maybe(st.integers(0, 3)),
        edition_sold=maybe(st.integers(0, 3)),
        revenue_cents=maybe(st.just(0)),
    ),
    grant=maybe(st.sampled_from(Grant)),
    sublicence_depth=st.integers(0, 2),
)


def compatible(every: list[LicenceTerms]) -> bool:
    ends = [each.valid_until for each in every if each.valid_until is not None]
    return not ends or min(ends) > max(each.valid_from for each in every)


@given(st.lists(LICENCES, min_size=2, max_size=3).filter(compatible), USES)
def test_joint_terms_allow_exactly_what_every_party_allows(
    every: list[LicenceTerms], use: Use
) -> None:
    together = joint(*every, at=NOON)
    outcomes = {evaluate(each, use).outcome for each in every}
    assert (evaluate(together, use).outcome is Outcome.ALLOW) == (outcomes == {Outcome.ALLOW})


@given(st.lists(LICENCES, min_size=2, max_size=3).filter(compatible))
def test_joint_terms_are_a_subset_of_every_party_s_but_for_what_only_one_can_have(
    every: list[LicenceTerms],
) -> None:
    together = joint(*every, at=NOON)
    apart = {"sublicence_depth", "revocation", "revocation_notice_days", "attribution"}
    apart |= {"royalty_tiers", "tier_period"}
    for each in every:
        wider = {problem.field for problem in subset_problems(together, each)}
        # A group of countries was another one in the past: joint terms are resolved now.
        assert wider - apart <= {"territories_included", "derivatives"}


@given(LICENCES, LICENCES, USES)
def test_what_a_subset_allows_its_parent_allows(
    child: LicenceTerms, parent: LicenceTerms, use: Use
) -> None:
    if not subset_problems(child, parent) and evaluate(child, use).outcome is Outcome.ALLOW:
        assert evaluate(parent, use).outcome is Outcome.ALLOW


@given(LICENCES, LICENCES, USES)
def test_what_is_narrowed_to_a_subset_allows_no_more(
    child: LicenceTerms, parent: LicenceTerms, use: Use
) -> None:
    """Joint terms with the parent are a subset in all that is judged, so proofs are not empty."""
    if not compatible([child, parent]):
        return
    narrowed = joint(child, parent, at=NOON)
    if evaluate(narrowed, use).outcome is Outcome.ALLOW:
        assert evaluate(parent, use).outcome is Outcome.ALLOW


PARENT: dict[str, object] = {
    "sublicence_depth": 1,
    "valid_until": NOON + 5 * DAY,
    "min_price_cents": 500,
    "blocked_keywords": ("casino",),
    "territories_included": frozenset({"EU"}),
    "quotas": Quotas(units=10),
    "exclusivity": Exclusivity.SOLE,
    "royalty_tiers": (Tier(1000, 800),),
    "attribution": "{creator}",
    "denied_stores": frozenset({STORE}),
    "derivatives": Derivatives.RECIPROCAL,
    "approval": Approval.PER_PRODUCT,
}


@pytest.mark.parametrize(
    ("field", "wider"),
    [
        ("sublicence_depth", 1),
        ("valid_until", None),
        ("valid_until", NOON + 6 * DAY),
        ("min_prices", (MinimumPrice(100, ProductType.PRINT, "eur"),)),
        ("blocked_keywords", ()),
        ("territories_included", frozenset()),
        ("territories_included", frozenset({"EU", "US"})),
        ("quotas", Quotas(units=11)),
        ("quotas", Quotas()),
        ("exclusivity", Exclusivity.NONE),
        ("royalty_bps", 900),
        ("royalty_tiers", (Tier(500, 800),)),
        ("attribution", ""),
        ("denied_stores", frozenset()),
        ("derivatives", Derivatives.ALLOWED),
        ("approval", Approval.NONE),
        ("max_discount_bps", 2001),
        ("product_types", frozenset(ProductType)),
        ("allow_third_party_stores", True),
        ("weights_leave_platform", True),
        ("ai_training_of_outputs", True),
        ("valid_from", NOON - 9 * DAY),
        ("sell_off_days", 1),
    ],
)
def test_each_field_that_is_wider_is_named(field: str, wider: object) -> None:
    above = PARENT | {
        "allow_third_party_stores": False,
        "product_types": frozenset({ProductType.PRINT}),
    }
    parent = terms(**above)
    same = terms(**above | {"sublicence_depth": 0})
    assert subset_problems(same, parent) == ()
    child = terms(**above | {"sublicence_depth": 0, field: wider})
    assert [problem.field for problem in subset_problems(child, parent)][:1] == [field]

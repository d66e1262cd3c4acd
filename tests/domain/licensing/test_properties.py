"""What holds of every licence and every use."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
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
from domain.licensing.terms import Capability, LicenceTerms, ProductType, Purpose
from domain.licensing.use import Action, Grant, Price, Seller, Usage, Use
from tests.builders import NOON, terms
from tests.domain.licensing.uses import OTHER_STORE, STORE, use

COUNTRIES = ["DE", "FR", "US", "XX"]
COUNTS = st.none() | st.integers(0, 6)


def some(values: Any) -> st.SearchStrategy[Any]:
    return st.frozensets(st.sampled_from(list(values)))


USE_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "at": st.integers(-3, 3).map(lambda days: NOON + timedelta(days=days)),
    "capability": st.none() | st.sampled_from(Capability),
    "subject_rights": st.none() | some(SubjectRight),
    "model": st.sampled_from([None, "a", "b"]),
    "takes_weights": st.booleans(),
    "trains_ai": st.booleans(),
    "product_type": st.none() | st.sampled_from(ProductType),
    "purpose": st.none() | st.sampled_from(Purpose),
    "seller": st.none() | st.builds(Seller, st.sampled_from([STORE, OTHER_STORE]), st.booleans()),
    "price": st.none()
    | st.builds(Price, st.integers(0, 3000), st.integers(0, 3000), st.just("usd")),
    "quantity": st.integers(1, 3),
    "territories": st.none() | some(COUNTRIES),
    "texts": st.sampled_from([(), (("title", "a gun"),), (("prompt", "vote, war"),)]),
    "by_creator": st.booleans(),
    "approved": st.none() | st.booleans(),
    "derivative": st.booleans(),
    "usage": st.builds(Usage, generations_today=COUNTS, units_sold=COUNTS, edition_sold=COUNTS),
    "grant": st.none() | st.sampled_from(Grant),
    "sublicence_depth": st.integers(0, 2),
    "revoked_from": st.sampled_from([None, NOON]),
}


@st.composite
def uses(draw: st.DrawFn) -> Use:
    """A use that ordinary terms allow, with up to four things changed."""
    changed = draw(st.sets(st.sampled_from(sorted(USE_FIELDS)), max_size=4))
    known: dict[str, Any] = {
        "usage": Usage(generations_today=0, units_sold=0, edition_sold=0, revenue_cents=0)
    }
    known |= {"territories": frozenset({"DE"}), "model": "a", "grant": Grant.HELD}
    return use(
        draw(st.sampled_from(Action)),
        **{**known, **{name: draw(USE_FIELDS[name]) for name in sorted(changed)}},
    )


TERMS_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "subject_rights": some(SubjectRight),
    "capabilities": some(Capability),
    "models": st.none() | some(["a", "b"]),
    "weights_leave_platform": st.booleans(),
    "product_types": some(ProductType),
    "purposes": some(Purpose),
    "allow_third_party_stores": st.booleans(),
    "allowed_stores": st.none() | some([STORE, OTHER_STORE]),
    "denied_stores": some([STORE, OTHER_STORE]),
    "territories_included": some(["DE", "EU", "US"]),
    "territories_excluded": some(["DE", "EU", "US"]),
    "valid_until": st.sampled_from([None, NOON + timedelta(days=1)]),
    "approval": st.sampled_from(Approval),
    "blocked_topics": some([Topic.WEAPONS, Topic.POLITICS]),
    "blocked_keywords": st.sampled_from([(), ("war",)]),
    "quotas": st.builds(
        Quotas,
        generations_per_day=st.none() | st.integers(1, 6),
        units=st.none() | st.integers(1, 6),
        edition_size=st.none() | st.integers(1, 6),
    ),
    "exclusivity": st.sampled_from(Exclusivity),
    "derivatives": st.sampled_from(Derivatives),
    "ai_training_of_outputs": st.booleans(),
    "required_disclosures": st.sampled_from([(), ("Made with AI.",)]),
    "sell_off_days": st.integers(0, 3),
    "min_price_cents": st.integers(0, 3000),
    "max_discount_bps": st.integers(0, 10_000),
    "sublicence_depth": st.integers(0, 2),
}


@st.composite
def licences(draw: st.DrawFn) -> LicenceTerms:
    """Ordinary terms, with up to five conditions changed."""
    changed = draw(st.sets(st.sampled_from(sorted(TERMS_FIELDS)), max_size=4))
    return terms(**{name: draw(TERMS_FIELDS[name]) for name in sorted(changed)})


TERMS, USES = licences(), uses()
PERMISSIONS = ("subject_rights", "capabilities", "product_types", "purposes")
LISTS = ("models", "allowed_stores")
BARS = ("denied_stores", "territories_excluded", "blocked_topics")
LEAVES = ("weights_leave_platform", "allow_third_party_stores", "ai_training_of_outputs")


def _part_of(values: Any) -> st.SearchStrategy[Any]:
    return some(sorted(values)) if values else st.just(frozenset())


@st.composite
def narrowed(draw: st.DrawFn, licence: LicenceTerms) -> LicenceTerms:
    """Terms that give in no field more than `licence` does."""
    change: dict[str, Any] = {name: draw(_part_of(getattr(licence, name))) for name in PERMISSIONS}
    for name, everything in zip(LISTS, (["a", "b"], [STORE, OTHER_STORE]), strict=True):
        among = getattr(licence, name)
        change[name] = draw(_part_of(everything if among is None else among))
    bars: tuple[list[Any], ...] = ([STORE], ["FR", "EU"], [Topic.WEAPONS])
    for name, more in zip(BARS, bars, strict=True):
        change[name] = getattr(licence, name) | {draw(st.sampled_from(more))}
    for name in LEAVES:
        change[name] = getattr(licence, name) and draw(st.booleans())
    change["min_price_cents"] = licence.min_price_cents + draw(st.integers(1, 2500))
    for name in ("max_discount_bps", "sublicence_depth", "sell_off_days"):
        change[name] = draw(st.integers(0, getattr(licence, name)))
    change["quotas"] = Quotas(
        **{
            limit.name: draw(st.integers(1, getattr(licence.quotas, limit.name) or 6))
            for limit in fields(Quotas)
        }
    )
    if licence.territories_included:
        change["territories_included"] = draw(
            st.frozensets(st.sampled_from(sorted(licence.territories_included)), min_size=1)
        )
    if licence.approval is Approval.NONE:
        change["approval"] = draw(st.sampled_from(Approval))
    if licence.derivatives is not Derivatives.RECIPROCAL:
        change["derivatives"] = draw(st.sampled_from([licence.derivatives, Derivatives.NONE]))
    harder = list(Exclusivity)[list(Exclusivity).index(licence.exclusivity) :]
    change["exclusivity"] = draw(st.sampled_from(harder))
    some_of_it = draw(st.sets(st.sampled_from(sorted(change)), min_size=1, max_size=4))
    return replace(licence, **{name: change[name] for name in some_of_it})


@settings(max_examples=300)
@given(st.data(), TERMS, USES)
def test_narrower_terms_never_allow_more(
    data: st.DataObject, wide: LicenceTerms, asked: Use
) -> None:
    narrow = data.draw(narrowed(wide))
    order = [Outcome.ALLOW, Outcome.NEEDS_APPROVAL, Outcome.DENY]
    wide_outcome, narrow_outcome = (evaluate(each, asked).outcome for each in (wide, narrow))
    assert order.index(narrow_outcome) >= order.index(wide_outcome)


@given(TERMS, USES)
def test_a_decision_is_the_same_again_from_what_was_stored(
    licence: LicenceTerms, asked: Use
) -> None:
    stored_terms = msgspec.json.decode(msgspec.json.encode(licence), type=LicenceTerms)
    stored_use = msgspec.json.decode(msgspec.json.encode(asked), type=Use)
    assert stored_terms.hash == licence.hash
    assert msgspec.json.encode(evaluate(stored_terms, stored_use)) == msgspec.json.encode(
        evaluate(licence, asked)
    )


@given(TERMS, USES)
def test_a_denial_has_a_reason_and_an_allowance_has_none(licence: LicenceTerms, asked: Use) -> None:
    decision = evaluate(licence, asked)
    codes = {reason.code for reason in decision.reasons}
    assert (decision.outcome is Outcome.ALLOW) == (not codes)
    assert (decision.outcome is Outcome.NEEDS_APPROVAL) == (codes == {"approval_needed"})
    assert all(reason.message for reason in decision.reasons)
    assert not decision.duties or decision.outcome is not Outcome.DENY


@given(TERMS, USES, st.data())
def test_to_say_less_is_never_to_be_allowed_more(
    licence: LicenceTerms, asked: Use, data: st.DataObject
) -> None:
    """Unknown is no. A listing may leave open where it sells; a revocation is told by who knows
    of it, and what is granted to another is too."""
    names = ["capability", "product_type", "purpose", "seller", "price", "usage", "model"]
    name = data.draw(st.sampled_from(names))
    unsaid = replace(asked, **{name: Usage() if name == "usage" else None})  # type: ignore[arg-type]
    if evaluate(licence, unsaid).allowed:
        assert evaluate(licence, asked).allowed

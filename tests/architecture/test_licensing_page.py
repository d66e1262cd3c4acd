"""The examples in docs/licensing.md are what the code answers."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest

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
from domain.licensing.decision import Decision
from domain.licensing.evaluate import evaluate
from domain.licensing.royalty import Tier, royalty_cents
from domain.licensing.terms import Capability, LicenceTerms, MinimumPrice, ProductType, Purpose
from domain.licensing.use import Action, Grant, Price, Seller, Usage, Use
from tests.builders import NOON, terms
from tests.domain.licensing.uses import STORE, use

PAGE = (Path(__file__).parents[2] / "docs" / "licensing.md").read_text()


class Example(NamedTuple):
    terms: dict[str, Any]
    use: dict[str, Any]


EXAMPLES = [
    Example({"subject_rights": {SubjectRight.FACE}}, {"subject_rights": {SubjectRight.VOICE}}),
    Example(
        {"capabilities": {Capability.IMAGE}},
        {"action": Action.GENERATE, "capability": Capability.VIDEO},
    ),
    Example({"models": {"a-model"}}, {"action": Action.GENERATE, "model": "another"}),
    Example({"weights_leave_platform": False}, {"action": Action.TRAIN, "takes_weights": True}),
    Example({"product_types": {ProductType.PRINT}}, {"product_type": ProductType.SHIRT}),
    Example({"purposes": {Purpose.EDITORIAL}}, {"purpose": Purpose.ADULT}),
    Example({"allow_third_party_stores": False}, {}),
    Example({"allowed_stores": {UUID(int=2)}}, {}),
    Example({"denied_stores": {STORE}}, {}),
    Example({"territories_included": {"EU"}}, {"territories": {"DE"}}),
    Example({"territories_included": {"EU"}}, {"territories": {"US"}}),
    Example({"territories_included": {"EU"}}, {"territories": None}),
    Example({"territories_included": {"EU"}}, {"action": Action.LIST}),
    Example({"territories_excluded": {"FR"}}, {"territories": {"FR"}}),
    Example({"valid_from": NOON + timedelta(days=1)}, {}),
    Example({"valid_until": NOON}, {}),
    Example({"valid_until": NOON, "sell_off_days": 30}, {}),
    Example({"approval": Approval.PER_PRODUCT}, {"approved": None}),
    Example({"approval": Approval.PER_PRODUCT}, {"approved": True}),
    Example({"approval": Approval.PER_PRODUCT, "approval_hours": 24}, {"approved": False}),
    Example({"blocked_topics": {Topic.GAMBLING}}, {"texts": (("title", "P0ker night"),)}),
    Example({"blocked_keywords": ("war",)}, {"texts": (("prompt", "at W@R"),)}),
    Example({}, {"texts": (("title", "revenge p0rn"),)}),
    Example({"required_disclosures": ("Made with AI.",)}, {}),
    Example({"min_price_cents": 1000}, {"price": Price(900, 900, "usd")}),
    Example(
        {"min_prices": (MinimumPrice(3000, ProductType.SHIRT, "usd"),)},
        {"price": Price(2500, 2500, "usd")},
    ),
    Example({"max_discount_bps": 2000}, {"price": Price(2500, 1999, "usd")}),
    Example(
        {"quotas": Quotas(generations_per_day=5)},
        {"action": Action.GENERATE, "usage": Usage(generations_today=5)},
    ),
    Example({"quotas": Quotas(units=100)}, {"usage": Usage(units_sold=100)}),
    Example({"quotas": Quotas(edition_size=10)}, {"quantity": 2, "usage": Usage(edition_sold=9)}),
    Example({"quotas": Quotas(revenue_cents=50_000)}, {"usage": Usage(revenue_cents=48_000)}),
    Example({"quotas": Quotas(units=100)}, {"usage": Usage()}),
    Example({"exclusivity": Exclusivity.EXCLUSIVE}, {"grant": Grant.FREE}),
    Example({"exclusivity": Exclusivity.SOLE}, {"seller": Seller(STORE, is_creators_own=True)}),
    Example({"exclusivity": Exclusivity.NONE}, {"grant": Grant.TAKEN}),
    Example({"sublicence_depth": 1, "sublicence_pass_through_bps": 5000}, {"sublicence_depth": 2}),
    Example({"attribution": "Likeness of {creator}"}, {"creator_name": "Ada"}),
    Example({"derivatives": Derivatives.NONE}, {"derivative": True}),
    Example({"derivatives": Derivatives.APPROVAL}, {"derivative": True}),
    Example({"derivatives": Derivatives.RECIPROCAL}, {"derivative": True}),
    Example(
        {"revocation": Revocation.AT_WILL, "revocation_notice_days": 30}, {"revoked_from": NOON}
    ),
    Example({"ai_training_of_outputs": False}, {"trains_ai": True}),
]
IN_THE_SPLIT = {
    *("royalty_bps", "royalty_base", "royalty_tiers", "tier_period", "royalty_flat_cents"),
    *("guarantee_cents", "collaborators"),
}


def row(example: Example) -> str:
    conditions = {name: _value(value) for name, value in example.terms.items()}
    asked = {name: _value(value) for name, value in example.use.items()}
    decision = evaluate(terms(**conditions), _use(asked))
    said = f"`{_text(conditions)}`" if conditions else "the defaults"
    proposed = f"`{_text(asked)}`" if asked else "the sale"
    return f"| {said} | {proposed} | {_answer(decision)} |"


def _use(asked: dict[str, Any]) -> Use:
    return use(**{"action": Action.SELL, **asked})


def _value(value: Any) -> Any:
    return frozenset(value) if isinstance(value, set) else value


def _text(values: dict[str, Any]) -> str:
    return msgspec.json.encode(_said(values)).decode()


def _said(value: Any) -> Any:
    """Without what is not said."""
    plain = msgspec.to_builtins(value)
    if not isinstance(plain, dict):
        return plain
    kept = {}
    for name, each in plain.items():
        kept[name] = (
            {key: one for key, one in each.items() if one is not None}
            if isinstance(each, dict)
            else each
        )
    return kept


def _answer(decision: Decision) -> str:
    told = [f"`{reason.code}`" for reason in decision.reasons]
    told += [f"{duty.kind}: “{duty.text}”" for duty in decision.duties]
    return ", ".join([str(decision.outcome).replace("_", " "), *told])


@pytest.mark.parametrize("example", EXAMPLES, ids=row)
def test_the_example_is_answered_so(example: Example) -> None:
    assert row(example) in PAGE


def test_every_condition_has_an_example() -> None:
    shown = {name for example in EXAMPLES for name in example.terms}
    assert shown | IN_THE_SPLIT == {f.name for f in fields(LicenceTerms)}
    assert all(f"`{name}`" in PAGE for name in IN_THE_SPLIT)


def test_the_royalty_is_computed_so() -> None:
    licence = terms(
        royalty_bps=1000,
        royalty_tiers=(Tier(100_000, 1500),),
        royalty_flat_cents=25,
        collaborators=(Collaborator(UUID(int=1), 7000), Collaborator(UUID(int=2), 3000)),
    )
    line = licence.royalty._replace(sold_before_cents=95_000)
    royalty = royalty_cents(line, 10_000, quantity=2)
    assert f"5000 × 10% + 5000 × 15% + 2 × 25 = {royalty} cents" in PAGE
    assert f"{royalty * 7000 // 10_000} and {royalty * 3000 // 10_000} cents" in PAGE

"""Terms are published as versions, which are read and asked for ever after."""

from dataclasses import fields
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from application.licensing.terms import (
    CollaboratorInput,
    MinimumPriceInput,
    PublishTerms,
    show_terms,
)
from application.licensing.trial import ProposedUse, evaluate_use
from domain.identity.actor import Role
from domain.licensing.conditions import SubjectRight
from domain.licensing.decision import Decision, Outcome
from domain.licensing.terms import LicenceTerms, MinimumPrice, ProductType, Purpose, TermsInvalid
from domain.licensing.use import Action
from domain.shared.errors import NotFound
from tests.application.trade import Trade
from tests.builders import NOON, actor

CREATOR = Role.CREATOR


async def test_publishing_makes_versions_and_the_latest_is_in_force() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    first = await trade.publish_terms(creator.id, PublishTerms(royalty_bps=500), who=ada)
    second = await trade.publish_terms(creator.id, PublishTerms(royalty_bps=700), who=ada)

    assert (first.version, second.version) == (1, 2)
    assert first.hash != second.hash
    assert await show_terms(creator.id, version=None, uow=trade.uow()) == second
    assert await show_terms(creator.id, version=1, uow=trade.uow()) == first


async def test_the_hash_is_that_of_what_was_published() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    published = await trade.publish_terms(creator.id, PublishTerms(), who=ada)

    assert published.hash == LicenceTerms(valid_from=NOON).hash


async def test_what_is_left_out_has_its_default_not_the_earlier_value() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)
    await trade.publish_terms(creator.id, PublishTerms(royalty_bps=500), who=ada)

    published = await trade.publish_terms(
        creator.id, PublishTerms(blocked_keywords=["war", "war"]), who=ada
    )

    assert (published.royalty_bps, published.blocked_keywords) == (1000, ["war"])
    assert published.valid_from == NOON


async def test_a_currency_is_kept_in_lower_case() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    published = await trade.publish_terms(
        creator.id,
        PublishTerms(min_prices=[MinimumPriceInput(amount_cents=900, currency="EUR")]),
        who=ada,
    )

    assert published.min_prices == [MinimumPrice(900, None, "eur")]


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (PublishTerms(valid_from=datetime(2026, 1, 1)), "valid_from"),  # noqa: DTZ001
        (PublishTerms(valid_until=NOON), "valid_until"),
        (PublishTerms(valid_until=NOON + timedelta(days=4000)), "valid_until"),
        (
            PublishTerms(min_prices=[MinimumPriceInput(amount_cents=1, currency="xyz")]),
            "min_prices",
        ),
    ],
)
async def test_terms_that_cannot_stand_are_not_published(command: PublishTerms, field: str) -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    with pytest.raises(TermsInvalid) as refused:
        await trade.publish_terms(creator.id, command, who=ada)

    assert list(refused.value.facts["fields"]) == [field]  # type: ignore[call-overload]


async def test_nobody_publishes_for_another() -> None:
    trade = Trade()
    creator = await trade.become_creator(actor(CREATOR))

    with pytest.raises(NotFound):
        await trade.publish_terms(creator.id, PublishTerms(), who=actor(CREATOR))


async def test_terms_that_were_never_published_are_not_shown() -> None:
    trade = Trade()
    creator = await trade.become_creator(actor(CREATOR))

    for version in (None, 1):
        with pytest.raises(NotFound):
            await show_terms(creator.id, version=version, uow=trade.uow())


async def ask(trade: Trade, terms_id: UUID, **use: object) -> Decision:
    values = {
        "action": Action.SELL,
        "subject_rights": [SubjectRight.FACE],
        "product_type": ProductType.SHIRT,
        "purpose": Purpose.COMMERCIAL,
        "unit_price_cents": 2500,
    }
    proposed = ProposedUse(**{**values, **use})  # type: ignore[arg-type]
    return await evaluate_use(terms_id, proposed, uow=trade.uow(), clock=trade.clock)


async def test_a_use_is_tried_out_and_unknown_is_refused() -> None:
    trade = Trade()
    shop = await trade.market()

    allowed = await ask(trade, shop.terms.id, store_id=shop.store.id)
    unknown = await ask(trade, shop.terms.id)

    assert allowed == Decision(Outcome.ALLOW, ())
    assert [reason.code for reason in unknown.reasons] == ["unknown_store_id"]


async def test_all_reasons_of_a_refusal_are_told() -> None:
    trade = Trade()
    shop = await trade.market()

    decision = await ask(
        trade,
        shop.terms.id,
        store_id=shop.store.id,
        list_price_cents=1000,
        unit_price_cents=400,
        purpose=Purpose.POLITICAL,
    )

    assert [reason.code for reason in decision.reasons] == [
        "purpose_not_allowed",
        "below_minimum_price",
        "discount_too_deep",
    ]


async def test_the_creators_own_store_may_sell_where_others_may_not() -> None:
    trade, ada = Trade(), actor(Role.CREATOR, Role.STORE_OWNER)
    shop = await trade.market()
    creator = await trade.become_creator(ada)
    own = await trade.open_store(ada)
    terms = await trade.publish_terms(
        creator.id, PublishTerms(allow_third_party_stores=False), who=ada
    )

    assert (await ask(trade, terms.id, store_id=own.id)).allowed
    refused = await ask(trade, terms.id, store_id=shop.store.id)
    assert [reason.code for reason in refused.reasons] == ["third_party_store"]


async def test_every_condition_is_published_and_shown_as_it_was_said() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)
    said = {
        "subject_rights": ["face", "body", "voice"],
        "capabilities": ["image", "voice"],
        "models": ["a-model"],
        "weights_leave_platform": True,
        "product_types": ["print"],
        "purposes": ["editorial"],
        "allow_third_party_stores": True,
        "allowed_stores": [str(UUID(int=1))],
        "denied_stores": [str(UUID(int=2))],
        "territories_included": ["EU", "US"],
        "territories_excluded": ["FR"],
        "valid_from": "2026-03-01T00:00:00Z",
        "valid_until": "2027-03-01T00:00:00Z",
        "sell_off_days": 30,
        "approval": "per_product",
        "approval_hours": 24,
        "blocked_topics": ["alcohol"],
        "blocked_keywords": ["war"],
        "required_disclosures": ["Made with AI."],
        "min_price_cents": 700,
        "min_prices": [{"amount_cents": 900, "product_type": "print", "currency": "eur"}],
        "max_discount_bps": 1000,
        "royalty_bps": 1500,
        "royalty_base": "gross",
        "royalty_tiers": [{"from_cents": 100_000, "bps": 2000}],
        "tier_period": "calendar_year",
        "royalty_flat_cents": 25,
        "guarantee_cents": 50_000,
        "quotas": {
            "generations_per_day": 10,
            "units": 1000,
            "edition_size": 100,
            "revenue_cents": 1_000_000,
        },
        "exclusivity": "sole",
        "sublicence_depth": 1,
        "sublicence_pass_through_bps": 5000,
        "collaborators": [{"creator_id": str(creator.id), "bps": 10_000}],
        "attribution": "Likeness of {creator}",
        "derivatives": "reciprocal",
        "revocation": "at_will",
        "revocation_notice_days": 30,
        "ai_training_of_outputs": True,
    }
    assert said.keys() == set(PublishTerms.__struct_fields__)
    assert said.keys() == {f.name for f in fields(LicenceTerms)}

    published = await trade.publish_terms(
        creator.id, msgspec.convert(said, PublishTerms, strict=False), who=ada
    )

    shown = msgspec.to_builtins(published)
    assert {name: shown[name] for name in said} == {
        **said,
        "subject_rights": ["body", "face", "voice"],
    }
    stored = await show_terms(creator.id, version=1, uow=trade.uow())
    assert stored == published


async def test_a_contradiction_or_a_stranger_among_the_parties_is_refused() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    for command, field in (
        (PublishTerms(sell_off_days=1), "sell_off_days"),
        (PublishTerms(territories_included=["xx"]), "territories_included"),
        (
            PublishTerms(collaborators=[CollaboratorInput(creator_id=UUID(int=9), bps=10_000)]),
            "collaborators",
        ),
    ):
        with pytest.raises(TermsInvalid) as refused:
            await trade.publish_terms(creator.id, command, who=ada)
        assert list(refused.value.facts["fields"]) == [field]  # type: ignore[call-overload]

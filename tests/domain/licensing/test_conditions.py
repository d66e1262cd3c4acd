"""The conditions beyond making, selling and price: each where exactly it turns."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.licensing.conditions import (
    Approval,
    Derivatives,
    Exclusivity,
    Quotas,
    SubjectRight,
    Topic,
)
from domain.licensing.decision import Duty, Outcome
from domain.licensing.evaluate import evaluate_under
from domain.licensing.terms import Capability, Purpose
from domain.licensing.territories import COUNTRIES, permitted
from domain.licensing.use import Action, Grant, Price, Seller, Usage
from tests.builders import NOON, terms
from tests.domain.licensing.uses import STORE, codes, decide, use

VOICE = frozenset({SubjectRight.VOICE})
OWN = Seller(STORE, is_creators_own=True)


class TestThePerson:
    def test_a_right_that_is_not_granted_is_refused_each_by_name(self) -> None:
        taken = frozenset({SubjectRight.FACE, SubjectRight.VOICE, SubjectRight.NAME})
        found = decide(use(subject_rights=taken)).reasons
        assert [(r.code, r.value) for r in found] == [
            ("subject_right_not_granted", "name"),
            ("subject_right_not_granted", "voice"),
        ]

    def test_a_capability_implies_what_it_cannot_do_without(self) -> None:
        speech = use(Action.GENERATE, capability=Capability.VOICE, subject_rights=None)
        granted = frozenset({Capability.VOICE})
        assert codes(speech, capabilities=granted) == ["subject_right_not_granted"]
        assert codes(speech, capabilities=granted, subject_rights=VOICE) == []

    def test_neither_rights_nor_capability_is_unknown(self) -> None:
        nothing = use(subject_rights=None, capability=None)
        assert codes(nothing) == ["unknown_subject_rights"]

    def test_only_named_models_generate(self) -> None:
        one = frozenset({"one"})
        made = use(Action.GENERATE, model="one")
        assert codes(made, models=one) == []
        assert codes(made, models=frozenset({"two"})) == ["model_not_allowed"]
        assert codes(use(Action.GENERATE), models=one) == ["unknown_model"]
        assert codes(use(Action.TRAIN), models=one) == []

    def test_weights_stay_and_nothing_is_trained_with_what_was_made(self) -> None:
        taken = use(Action.TRAIN, takes_weights=True, trains_ai=True)
        assert codes(taken) == ["weights_must_stay", "ai_training_not_allowed"]
        assert codes(taken, weights_leave_platform=True, ai_training_of_outputs=True) == []


class TestWhere:
    EU = frozenset({"EU"})

    def test_what_is_included_is_all_that_is_allowed(self) -> None:
        assert codes(use(territories=frozenset({"DE"})), territories_included=self.EU) == []
        far = use(territories=frozenset({"US"}))
        assert codes(far, territories_included=self.EU) == ["territory_not_allowed"]
        assert codes(far) == []

    def test_what_is_excluded_is_excluded_whatever_includes_it(self) -> None:
        without = {"territories_included": self.EU, "territories_excluded": frozenset({"FR"})}
        assert codes(use(territories=frozenset({"FR"})), **without) == ["territory_not_allowed"]
        assert codes(use(territories=frozenset({"DE"})), **without) == []
        (reason,) = decide(use(territories=frozenset({"FR"})), **without).reasons
        assert (reason.limit, reason.value) == ("EU without FR", "FR")

    def test_a_sale_says_where_it_goes_and_a_listing_need_not(self) -> None:
        assert codes(use(), territories_included=self.EU) == ["unknown_territory"]
        listed = decide(use(Action.LIST), territories_included=self.EU)
        assert listed.outcome is Outcome.ALLOW
        assert listed.duties == (Duty("territory", "Sell to EU only."),)

    def test_a_listing_that_says_where_is_judged_by_it(self) -> None:
        both = use(Action.LIST, territories=frozenset({"DE", "US"}))
        assert codes(both, territories_included=self.EU) == ["territory_not_allowed"]

    def test_what_is_no_country_is_nowhere(self) -> None:
        nowhere = use(territories=frozenset({"XX"}))
        assert codes(nowhere, territories_excluded=frozenset({"US"})) == ["territory_not_allowed"]

    def test_a_group_is_what_it_was_at_the_time(self) -> None:
        empty = frozenset[str]()
        assert "GB" in permitted(self.EU, empty, datetime(2019, 6, 1, tzinfo=UTC))
        assert "GB" not in permitted(self.EU, empty, NOON)
        assert len(permitted(self.EU, empty, NOON)) == 27
        assert len(permitted(empty, empty, NOON)) == len(COUNTRIES) == 249


class TestWords:
    def test_a_topic_is_blocked_by_its_words(self) -> None:
        poker = use(texts=(("title", "P0ker night"),))
        (reason,) = decide(poker, blocked_topics=frozenset({Topic.GAMBLING})).reasons
        assert (reason.code, reason.field, reason.limit, reason.value) == (
            "blocked_topic",
            "title",
            "gambling",
            "poker",
        )
        assert codes(poker) == []

    @pytest.mark.parametrize("purpose", Purpose)
    def test_no_licence_loosens_the_platforms_bans(self, purpose: Purpose) -> None:
        banned = use(Action.GENERATE, purpose=purpose, texts=(("prompt", "revenge p0rn"),))
        assert codes(banned, purposes=frozenset(Purpose)) == ["banned_by_platform"]

    def test_disclosures_and_attribution_are_duties(self) -> None:
        titled = use(texts=(("title", "Harbour"),), creator_name="Ada")
        decision = decide(
            titled, required_disclosures=("Made with AI.",), attribution="{title}, {creator}"
        )
        assert decision.duties == (
            Duty("disclosure", "Made with AI."),
            Duty("attribution", "Harbour, Ada"),
        )
        unnamed = decide(use(), attribution="{title}, {creator}")
        assert unnamed.duties == (Duty("attribution", "{title}, {creator}"),)

    def test_a_refusal_has_no_duties(self) -> None:
        refused = decide(use(purpose=Purpose.ADULT), attribution="{creator}")
        assert (refused.outcome, refused.duties) == (Outcome.DENY, ())


class TestHowMuchOfIt:
    @pytest.mark.parametrize(
        ("quotas", "before", "code"),
        [
            (Quotas(units=10), {"units_sold": 8}, "units_used_up"),
            (Quotas(edition_size=10), {"edition_sold": 8}, "edition_sold_out"),
            (Quotas(revenue_cents=10_000), {"revenue_cents": 5_000}, "revenue_ceiling_reached"),
        ],
    )
    def test_a_sale_may_reach_a_limit_and_not_pass_it(
        self, quotas: Quotas, before: dict[str, int], code: str
    ) -> None:
        usage = Usage(**before)
        assert codes(use(quantity=2, usage=usage), quotas=quotas) == []
        assert codes(use(quantity=3, usage=usage), quotas=quotas) == [code]
        (name,) = before
        assert codes(use(), quotas=quotas) == [f"unknown_{name}"]
        assert codes(use(Action.LIST), quotas=quotas) == []

    def test_a_day_has_so_many_generations(self) -> None:
        quotas = Quotas(generations_per_day=3)
        assert codes(use(Action.GENERATE, usage=Usage(generations_today=2)), quotas=quotas) == []
        again = use(Action.GENERATE, usage=Usage(generations_today=3))
        assert codes(again, quotas=quotas) == ["daily_generations_used_up"]
        assert codes(use(Action.GENERATE), quotas=quotas) == ["unknown_generations_today"]

    def test_the_price_that_counts_is_the_last_one_after_every_discount(self) -> None:
        for unit_cents, expected in ((2000, []), (1999, ["discount_too_deep"])):
            assert codes(use(price=Price(2500, unit_cents, "usd"))) == expected


class TestByWhoseLeave:
    def test_an_exclusive_licence_needs_a_grant_of_everybody(self) -> None:
        exclusive = {"exclusivity": Exclusivity.EXCLUSIVE}
        assert codes(use(grant=Grant.HELD), **exclusive) == []
        assert codes(use(grant=Grant.FREE), **exclusive) == ["grant_needed"]
        assert codes(use(grant=Grant.FREE, seller=OWN), **exclusive) == ["grant_needed"]
        assert codes(use(), **exclusive) == ["unknown_grant"]

    def test_a_sole_licence_leaves_the_creator_beside_it(self) -> None:
        sole = {"exclusivity": Exclusivity.SOLE}
        assert codes(use(grant=Grant.FREE), **sole) == ["grant_needed"]
        assert codes(use(seller=OWN), **sole) == []

    def test_what_is_granted_to_another_is_nobody_elses(self) -> None:
        assert codes(use(grant=Grant.TAKEN)) == ["granted_to_another"]

    def test_a_licence_is_handed_on_as_far_as_it_says(self) -> None:
        assert codes(use(sublicence_depth=1)) == ["sublicence_too_deep"]
        assert codes(use(sublicence_depth=1), sublicence_depth=1) == []

    def test_a_sublicence_must_allow_it_too(self) -> None:
        wide, narrow = terms(sublicence_depth=1), terms(purposes=frozenset())
        asked = use(sublicence_depth=1)
        assert evaluate_under(wide, None, asked).allowed
        refused = evaluate_under(wide, narrow, asked)
        assert [reason.code for reason in refused.reasons] == ["purpose_not_allowed"]

    @pytest.mark.parametrize(
        ("approval", "actions"),
        [
            (Approval.NONE, []),
            (Approval.FIRST_USE, [Action.GENERATE, Action.LIST, Action.SELL]),
            (Approval.PER_PRODUCT, [Action.LIST, Action.SELL]),
            (Approval.PER_GENERATION, [Action.GENERATE]),
        ],
    )
    def test_the_creators_word_is_asked_where_the_terms_say(
        self, approval: Approval, actions: list[Action]
    ) -> None:
        for action in Action:
            outcomes = [
                decide(use(action, approved=word), approval=approval).outcome
                for word in (None, True, False)
            ]
            asked = [Outcome.NEEDS_APPROVAL, Outcome.ALLOW, Outcome.DENY]
            assert outcomes == (asked if action in actions else [Outcome.ALLOW] * 3)

    def test_creators_need_no_word_of_their_own(self) -> None:
        each = {"approval": Approval.FIRST_USE}
        assert codes(use(Action.GENERATE, by_creator=True), **each) == []
        assert codes(use(seller=OWN), **each) == []

    def test_a_refusal_outweighs_a_missing_word_and_both_are_told(self) -> None:
        decision = decide(use(purpose=Purpose.ADULT), approval=Approval.PER_PRODUCT)
        assert decision.outcome is Outcome.DENY
        assert [r.code for r in decision.reasons] == ["purpose_not_allowed", "approval_needed"]

    def test_derivatives_are_allowed_asked_for_shared_alike_or_refused(self) -> None:
        derived = use(derivative=True)
        answers = {rule: decide(derived, derivatives=rule) for rule in Derivatives}
        assert {rule: answer.outcome for rule, answer in answers.items()} == {
            Derivatives.ALLOWED: Outcome.ALLOW,
            Derivatives.APPROVAL: Outcome.NEEDS_APPROVAL,
            Derivatives.RECIPROCAL: Outcome.ALLOW,
            Derivatives.NONE: Outcome.DENY,
        }
        assert [duty.kind for duty in answers[Derivatives.RECIPROCAL].duties] == ["share_alike"]
        assert codes(use(), derivatives=Derivatives.NONE) == []

    def test_a_revocation_holds_from_its_instant_on(self) -> None:
        for action in Action:
            assert codes(use(action, revoked_from=NOON)) == ["revoked"]
            assert codes(use(action, revoked_from=NOON + timedelta(microseconds=1))) == []

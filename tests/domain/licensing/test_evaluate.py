"""Each condition of a licence: what it allows, what it denies, and where exactly it turns."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.licensing.decision import Outcome
from domain.licensing.terms import Capability, MinimumPrice, ProductType, Purpose
from domain.licensing.use import Action, Price, Seller
from tests.builders import NOON
from tests.domain.licensing.uses import OTHER_STORE, STORE, codes, decide, use

MAKING = [Action.TRAIN, Action.GENERATE]
COMMERCE = [Action.LIST, Action.SELL]
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("action", Action)
def test_default_terms_allow_ordinary_uses(action: Action) -> None:
    decision = decide(use(action))
    assert decision.outcome is Outcome.ALLOW
    assert decision.allowed
    assert decision.reasons == ()


class TestWhatIsMade:
    @pytest.mark.parametrize("action", MAKING)
    def test_a_capability_must_be_granted(self, action: Action) -> None:
        video = use(action, capability=Capability.VIDEO)
        assert codes(video) == ["capability_not_granted"]
        assert codes(video, capabilities=frozenset({Capability.VIDEO})) == []

    @pytest.mark.parametrize("action", COMMERCE)
    def test_selling_what_was_made_asks_for_no_capability(self, action: Action) -> None:
        assert codes(use(action, capability=None), capabilities=frozenset()) == []

    @pytest.mark.parametrize("action", COMMERCE)
    def test_a_product_type_must_be_allowed(self, action: Action) -> None:
        only_prints = frozenset({ProductType.PRINT})
        assert codes(use(action), product_types=only_prints) == ["product_type_not_allowed"]
        assert codes(use(action, product_type=ProductType.PRINT), product_types=only_prints) == []

    @pytest.mark.parametrize("purpose", [Purpose.POLITICAL, Purpose.ADULT, Purpose.ADVERTISING])
    def test_a_purpose_must_be_named(self, purpose: Purpose) -> None:
        assert codes(use(purpose=purpose)) == ["purpose_not_allowed"]
        assert codes(use(purpose=purpose), purposes=frozenset({purpose})) == []

    def test_training_has_no_purpose_yet(self) -> None:
        assert codes(use(Action.TRAIN, purpose=None)) == []


class TestWhoSells:
    @pytest.mark.parametrize("action", COMMERCE)
    def test_third_parties_may_be_kept_out(self, action: Action) -> None:
        assert codes(use(action), allow_third_party_stores=False) == ["third_party_store"]

    def test_named_stores_keep_out_all_others(self) -> None:
        assert codes(use(), allowed_stores=frozenset({OTHER_STORE})) == ["store_not_listed"]
        assert codes(use(), allowed_stores=frozenset({STORE})) == []
        assert codes(use(), allowed_stores=frozenset()) == ["store_not_listed"]

    def test_the_creators_own_store_needs_no_naming(self) -> None:
        own = use(seller=Seller(STORE, is_creators_own=True))
        assert codes(own, allow_third_party_stores=False) == []
        assert codes(own, allowed_stores=frozenset({OTHER_STORE})) == []

    def test_an_exclusion_holds_against_everything(self) -> None:
        excluded = frozenset({STORE})
        assert codes(use(), denied_stores=excluded) == ["store_denied"]
        assert codes(use(), denied_stores=excluded, allowed_stores=excluded) == ["store_denied"]
        own = use(seller=Seller(STORE, is_creators_own=True))
        assert codes(own, denied_stores=excluded) == ["store_denied"]

    @pytest.mark.parametrize("action", MAKING)
    def test_making_has_no_seller(self, action: Action) -> None:
        assert codes(use(action, seller=None), allow_third_party_stores=False) == []


class TestWhen:
    @pytest.mark.parametrize("action", Action)
    def test_the_first_instant_is_included(self, action: Action) -> None:
        assert codes(use(action), valid_from=NOON) == []
        assert codes(use(action), valid_from=NOON + TICK) == ["not_yet_valid"]

    @pytest.mark.parametrize("action", Action)
    def test_the_last_instant_is_excluded(self, action: Action) -> None:
        assert codes(use(action), valid_until=NOON + TICK) == []
        assert codes(use(action), valid_until=NOON) == ["expired"]

    def test_what_is_listed_may_be_sold_off_for_some_days_after_the_end(self) -> None:
        end = NOON + timedelta(days=10)
        assert codes(use(at=end - TICK), valid_until=NOON, sell_off_days=10) == []
        assert codes(use(at=end), valid_until=NOON, sell_off_days=10) == ["expired"]

    @pytest.mark.parametrize("action", [Action.TRAIN, Action.GENERATE, Action.LIST])
    def test_selling_off_makes_and_lists_nothing_new(self, action: Action) -> None:
        assert codes(use(action), valid_until=NOON, sell_off_days=30) == ["expired"]


class TestHowMuch:
    @pytest.mark.parametrize("action", COMMERCE)
    def test_the_minimum_price_is_included(self, action: Action) -> None:
        assert codes(use(action, price=Price(500, 500, "usd"))) == []
        assert codes(use(action, price=Price(499, 499, "usd"))) == ["below_minimum_price"]

    def test_a_refusal_says_limit_and_value(self) -> None:
        (reason,) = decide(use(price=Price(499, 499, "usd"))).reasons
        assert (reason.field, reason.limit, reason.value) == ("price_cents", 500, 499)
        assert reason.message == "The licence asks at least $5.00; the price is $4.99."

    def test_the_most_specific_minimum_holds_whatever_its_height(self) -> None:
        anything, dollars, shirts, both = (
            MinimumPrice(4000),
            MinimumPrice(3000, currency="usd"),
            MinimumPrice(2000, ProductType.SHIRT),
            MinimumPrice(1000, ProductType.SHIRT, "usd"),
        )

        def lowest(*minimums: MinimumPrice) -> int:
            prices = (cents for cents in range(0, 5000, 500))
            return next(
                cents
                for cents in prices
                if not codes(use(price=Price(cents, cents, "usd")), min_prices=minimums)
            )

        assert lowest() == 500
        assert lowest(anything) == 4000
        assert lowest(anything, dollars) == 3000
        assert lowest(dollars, anything, shirts) == 2000
        assert lowest(both, shirts, dollars, anything) == 1000
        foreign = (MinimumPrice(9000, currency="eur"), MinimumPrice(9000, ProductType.PRINT))
        assert lowest(*foreign) == 500

    def test_the_greatest_discount_is_included(self) -> None:
        assert codes(use(price=Price(2500, 2000, "usd"))) == []
        assert codes(use(price=Price(2500, 1999, "usd"))) == ["discount_too_deep"]

    def test_no_discount_may_be_allowed_at_all(self) -> None:
        assert codes(use(price=Price(2500, 2500, "usd")), max_discount_bps=0) == []
        assert codes(use(price=Price(2500, 2499, "usd")), max_discount_bps=0) == [
            "discount_too_deep"
        ]

    @given(
        st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10_000), st.integers(0, 9999)
    )
    def test_the_price_floor_is_exact_without_rounding(
        self, list_cents: int, unit_cents: int, max_bps: int, minimum: int
    ) -> None:
        refused = bool(
            codes(
                use(price=Price(list_cents, unit_cents, "usd")),
                max_discount_bps=max_bps,
                min_price_cents=minimum,
            )
        )
        too_deep = unit_cents * 10_000 < list_cents * (10_000 - max_bps)
        assert refused == (too_deep or unit_cents < minimum)


class TestWhatIsNotKnown:
    @pytest.mark.parametrize("action", MAKING)
    def test_an_unknown_capability_is_refused(self, action: Action) -> None:
        assert codes(use(action, capability=None)) == ["unknown_capability"]

    @pytest.mark.parametrize("action", [Action.GENERATE, *COMMERCE])
    def test_an_unknown_purpose_is_refused(self, action: Action) -> None:
        assert codes(use(action, purpose=None)) == ["unknown_purpose"]

    @pytest.mark.parametrize("action", COMMERCE)
    @pytest.mark.parametrize(
        ("unknown", "field"),
        [("product_type", "product_type"), ("seller", "store_id"), ("price", "price_cents")],
    )
    def test_commerce_must_say_what_who_and_how_much(
        self, action: Action, unknown: str, field: str
    ) -> None:
        assert codes(use(action, **{unknown: None})) == [f"unknown_{field}"]


def test_all_reasons_are_told_at_once() -> None:
    everything_wrong = use(
        product_type=ProductType.FIGURINE,
        purpose=Purpose.POLITICAL,
        price=Price(1000, 100, "usd"),
        at=NOON,
        texts=(("title", "Vote now"), ("description", "vote")),
    )
    assert codes(
        everything_wrong,
        product_types=frozenset({ProductType.PRINT}),
        denied_stores=frozenset({STORE}),
        allow_third_party_stores=False,
        valid_until=NOON,
        blocked_keywords=("vote",),
    ) == [
        "product_type_not_allowed",
        "purpose_not_allowed",
        "store_denied",
        "third_party_store",
        "expired",
        "blocked_keyword",
        "blocked_keyword",
        "below_minimum_price",
        "discount_too_deep",
    ]


def test_a_blocked_keyword_says_where_it_stands() -> None:
    (reason,) = decide(use(texts=(("prompt", "At War!"),)), blocked_keywords=("war", "gun")).reasons
    assert (reason.code, reason.field, reason.limit) == ("blocked_keyword", "prompt", "war")


def test_equal_questions_have_equal_answers() -> None:
    asked = use(purpose=Purpose.ADULT, price=Price(1000, 100, "usd"))
    assert decide(asked) == decide(asked)

"""Whole cents among parties: nothing lost, nothing made up, nothing taken twice."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.allocation import largest_remainder, webster

weight_lists = st.lists(st.integers(0, 5000), min_size=1, max_size=8).filter(any)


@st.composite
def divisions(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A total that does not exceed the weights."""
    weights = draw(weight_lists)
    return draw(st.integers(0, sum(weights))), weights


@st.composite
def divisions_begun(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    """A total, weights, and parts that were given already, by whatever rule."""
    weights = draw(st.lists(st.integers(0, 60), min_size=1, max_size=6).filter(any))
    floors = [draw(st.integers(0, weight)) for weight in weights]
    return draw(st.integers(sum(floors), sum(weights))), weights, floors


def handed_out_one_by_one(total: int, weights: list[int], floors: list[int]) -> tuple[int, ...]:
    """Webster's method as it is defined: each cent to the highest weight / (2 share + 1)."""
    shares = list(floors)
    for _ in range(total - sum(floors)):
        quotients = [Fraction(w, 2 * s + 1) for w, s in zip(weights, shares, strict=True)]
        shares[quotients.index(max(quotients))] += 1
    return tuple(shares)


class TestLargestRemainder:
    def test_the_cent_left_over_goes_to_the_largest_remainder(self) -> None:
        assert largest_remainder(100, (1, 1, 4)) == (17, 17, 66)
        assert largest_remainder(10, (35, 45, 20)) == (4, 4, 2)

    def test_a_tie_goes_to_the_earlier_party(self) -> None:
        assert largest_remainder(100, (1, 1, 1)) == (34, 33, 33)
        assert largest_remainder(1, (5, 5)) == (1, 0)

    def test_nothing_is_divided_even_among_nobody(self) -> None:
        assert largest_remainder(0, ()) == ()
        assert largest_remainder(0, (0, 0)) == (0, 0)

    @given(st.integers(0, 10**12), weight_lists)
    def test_it_is_exact_and_within_one_cent_of_the_quota(
        self, total: int, weights: list[int]
    ) -> None:
        shares = largest_remainder(total, weights)
        assert sum(shares) == total
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - Fraction(total * weight, sum(weights))) < 1

    @given(st.integers(0, 10**6), weight_lists)
    def test_equal_questions_have_equal_answers(self, total: int, weights: list[int]) -> None:
        assert largest_remainder(total, weights) == largest_remainder(total, tuple(weights))

    @pytest.mark.parametrize(("total", "weights"), [(-1, (1,)), (1, (-1, 2)), (1, (0, 0)), (1, ())])
    def test_what_makes_no_sense_is_refused(self, total: int, weights: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="weight"):
            largest_remainder(total, weights)


class TestWebster:
    def test_parts_are_rounded_to_the_nearest_cent_where_that_adds_up(self) -> None:
        assert webster(100, (534, 336, 130)) == (53, 34, 13)

    def test_a_tie_goes_to_the_earlier_party(self) -> None:
        assert webster(1, (5, 5)) == (1, 0)
        assert webster(3, (5, 5)) == (2, 1)

    @given(divisions())
    def test_it_is_exact_and_no_part_exceeds_its_weight(
        self, division: tuple[int, list[int]]
    ) -> None:
        total, weights = division
        shares = webster(total, weights)
        assert sum(shares) == total
        assert all(0 <= s <= w for s, w in zip(shares, weights, strict=True))

    @given(weight_lists)
    def test_dividing_everything_gives_the_weights(self, weights: list[int]) -> None:
        assert webster(sum(weights), weights) == tuple(weights)

    @given(divisions())
    def test_one_cent_more_takes_from_nobody(self, division: tuple[int, list[int]]) -> None:
        total, weights = division
        if total:
            fewer, more = webster(total - 1, weights), webster(total, weights)
            assert all(a <= b for a, b in zip(fewer, more, strict=True))

    @given(divisions(), st.data())
    def test_stopping_on_the_way_changes_nothing(
        self, division: tuple[int, list[int]], data: st.DataObject
    ) -> None:
        total, weights = division
        halt = webster(data.draw(st.integers(0, total)), weights)
        assert webster(total, weights, at_least=halt) == webster(total, weights)

    @given(divisions_begun())
    def test_it_is_the_method_that_hands_out_cent_by_cent(
        self, begun: tuple[int, list[int], list[int]]
    ) -> None:
        total, weights, floors = begun
        shares = webster(total, weights, at_least=floors)
        assert shares == handed_out_one_by_one(total, weights, floors)
        assert all(f <= s <= w for f, s, w in zip(floors, shares, weights, strict=True))

    def test_more_given_than_there_is_to_divide_is_refused(self) -> None:
        with pytest.raises(ValueError, match="already given"):
            webster(3, (5, 5), at_least=(4, 0))

"""Any sequence of partial refunds ends where one full refund ends, for every line and leg."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from domain.ordering.order import NotPaid, Order, PaymentStatus, RefundState, refund_state_of
from domain.ordering.refund import (
    LineRefund,
    NothingToRefund,
    RefundableLine,
    RefundTooLarge,
    leg_reversals,
    refund_by_amount,
    refund_by_quantity,
)
from domain.shared.errors import NotFound
from tests.domain.ordering.orders import order_line, paid_order

A, B = uuid4(), uuid4()


def refundable(
    line_id: UUID, total: int, *, quantity: int = 1, refunded: int = 0, pieces: int = 0
) -> RefundableLine:
    return RefundableLine(line_id, total, quantity, refunded, pieces)


class TestByAmount:
    def test_an_amount_is_divided_in_proportion_to_the_lines(self) -> None:
        lines = [refundable(A, 3000), refundable(B, 1000)]
        assert refund_by_amount(lines, 400) == (LineRefund(A, 300), LineRefund(B, 100))

    def test_a_line_that_has_more_back_already_waits_for_the_others(self) -> None:
        lines = [refundable(A, 1000, refunded=600), refundable(B, 1000)]
        assert refund_by_amount(lines, 400) == (LineRefund(B, 400),)

    def test_all_that_is_left_may_be_refunded_and_not_one_cent_more(self) -> None:
        lines = [refundable(A, 1000, refunded=600), refundable(B, 500)]
        assert refund_by_amount(lines, 900) == (LineRefund(A, 400), LineRefund(B, 500))
        with pytest.raises(RefundTooLarge) as refused:
            refund_by_amount(lines, 901)
        assert refused.value.facts == {"amount_cents": 901, "refundable_cents": 900}

    def test_when_everything_was_refunded_there_is_nothing_to_refund(self) -> None:
        with pytest.raises(NothingToRefund):
            refund_by_amount([refundable(A, 1000, refunded=1000)], 1)


class TestByQuantity:
    def test_pieces_are_refunded_at_their_price(self) -> None:
        lines = [refundable(A, 3000, quantity=3), refundable(B, 500)]
        assert refund_by_quantity(lines, {A: 2}) == (LineRefund(A, 2000, 2),)

    def test_the_last_piece_takes_the_rest_so_that_nothing_is_paid_twice(self) -> None:
        line = refundable(A, 3000, quantity=3, refunded=2500, pieces=2)
        assert refund_by_quantity([line], {A: 1}) == (LineRefund(A, 500, 1),)

    def test_a_piece_gives_no_more_than_the_line_has_left(self) -> None:
        line = refundable(A, 3000, quantity=3, refunded=2800)
        assert refund_by_quantity([line], {A: 1}) == (LineRefund(A, 200, 1),)

    def test_more_pieces_than_are_left_are_refused(self) -> None:
        line = refundable(A, 3000, quantity=3, refunded=1000, pieces=1)
        with pytest.raises(RefundTooLarge) as refused:
            refund_by_quantity([line], {A: 3})
        assert refused.value.facts["refundable_quantity"] == 2

    def test_a_line_of_another_order_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            refund_by_quantity([refundable(A, 100)], {B: 1})

    def test_a_line_that_has_all_its_money_back_gives_nothing(self) -> None:
        lines = [refundable(A, 3000, quantity=3, refunded=3000), refundable(B, 100)]
        with pytest.raises(NothingToRefund):
            refund_by_quantity(lines, {A: 1})


amounts = st.lists(st.integers(1, 400), min_size=1, max_size=6)


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5), amounts, st.randoms())
def test_the_order_of_refunds_by_amount_does_not_matter(
    totals: list[int], wanted: list[int], random: Random
) -> None:
    shuffled = list(wanted)
    random.shuffle(shuffled)
    ids = [UUID(int=n) for n in range(len(totals))]

    def after(amounts: Sequence[int]) -> dict[UUID, int]:
        lines = dict(zip(ids, totals, strict=True))
        given_back: Counter[UUID] = Counter()
        for amount in amounts:
            for part in refund_by_amount(
                [refundable(i, lines[i], refunded=given_back[i]) for i in ids], amount
            ):
                given_back[part.line_id] += part.amount_cents
        return {i: given_back[i] for i in ids}

    if sum(wanted) <= sum(totals):
        assert after(wanted) == after(shuffled) == after([sum(wanted)])


class TestLegs:
    def test_a_partial_refund_takes_from_every_leg_in_proportion(self) -> None:
        legs = (250, 250, 950, 1050)
        half = leg_reversals(legs, refunded_before_cents=0, refunded_after_cents=1250)
        assert half == (125, 125, 475, 525)

    def test_a_leg_of_nothing_gives_nothing(self) -> None:
        assert leg_reversals((0, 10), refunded_before_cents=0, refunded_after_cents=7) == (0, 7)

    @pytest.mark.parametrize(("before", "after"), [(5, 4), (-1, 1), (0, 11)])
    def test_refunds_only_grow_and_never_beyond_the_line(self, before: int, after: int) -> None:
        with pytest.raises(ValueError, match="only grow"):
            leg_reversals((5, 5), refunded_before_cents=before, refunded_after_cents=after)

    @given(
        st.lists(st.integers(0, 3000), min_size=1, max_size=6).filter(any),
        st.lists(st.integers(0, 10**4), max_size=8),
    )
    def test_steps_add_up_to_one_full_refund_of_every_leg(
        self, legs: list[int], halts: list[int]
    ) -> None:
        stops = sorted({0, sum(legs), *(halt % (sum(legs) + 1) for halt in halts)})
        given_back = [0] * len(legs)
        for before, after in pairwise(stops):
            step = leg_reversals(legs, refunded_before_cents=before, refunded_after_cents=after)
            assert sum(step) == after - before
            assert min(step) >= 0
            given_back = [g + s for g, s in zip(given_back, step, strict=True)]
        assert given_back == legs


class RefundingAnOrder(RuleBasedStateMachine):
    """Refunds by amount, by pieces, of some lines or all; they succeed in any order, or fail."""

    @initialize(
        lines=st.lists(
            st.tuples(st.integers(50, 3000), st.integers(1, 4), st.integers(0, 8000)),
            min_size=1,
            max_size=4,
        )
    )
    def place(self, lines: list[tuple[int, int, int]]) -> None:
        self.order: Order = paid_order(
            *(
                order_line(unit_price_cents=price, quantity=quantity, royalty_bps=royalty)
                for price, quantity, royalty in lines
            )
        )
        self.pending: list[tuple[LineRefund, ...]] = []
        self.given_back = {line.id: [0] * len(line.legs) for line in self.order.lines}

    def refundable_cents(self) -> int:
        return sum(line.refundable().refundable_cents for line in self.order.lines)

    @rule(share=st.floats(0, 1))
    def by_amount(self, share: float) -> None:
        left = self.refundable_cents()
        if left:
            wanted = max(1, int(left * share))
            parts = refund_by_amount([line.refundable() for line in self.order.lines], wanted)
            assert sum(part.amount_cents for part in parts) == wanted
            self.intend(parts)

    @rule(data=st.data())
    def by_pieces(self, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from(self.order.lines), label="line")
        left = line.refundable()
        pieces = left.quantity - left.refunded_quantity
        if pieces and left.refundable_cents:
            wanted = data.draw(st.integers(1, pieces), label="pieces")
            self.intend(
                refund_by_quantity(
                    [each.refundable() for each in self.order.lines], {line.id: wanted}
                )
            )

    def intend(self, parts: tuple[LineRefund, ...]) -> None:
        assert all(part.amount_cents > 0 for part in parts)
        self.order.intend_refund(parts)
        self.pending.append(parts)

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        self.post(data.draw(st.sampled_from(self.pending), label="refund"))

    def post(self, parts: tuple[LineRefund, ...]) -> None:
        self.pending.remove(parts)
        for part in parts:
            line = next(line for line in self.order.lines if line.id == part.line_id)
            before, line.returned_cents = (
                line.returned_cents,
                line.returned_cents + part.amount_cents,
            )
            step = leg_reversals(
                [leg.amount_cents for leg in line.legs],
                refunded_before_cents=before,
                refunded_after_cents=line.returned_cents,
            )
            given = self.given_back[line.id]
            self.given_back[line.id] = [g + s for g, s in zip(given, step, strict=True)]

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        parts = data.draw(st.sampled_from(self.pending), label="refund")
        self.pending.remove(parts)
        self.order.abandon_refund(parts)

    @invariant()
    def nothing_is_given_twice(self) -> None:
        for line in self.order.lines:
            assert 0 <= line.returned_cents <= line.refunded_cents <= line.total_cents
            assert 0 <= line.refunded_quantity <= line.quantity
            given = self.given_back[line.id]
            assert sum(given) == line.returned_cents
            assert all(
                0 <= cents <= leg.amount_cents for cents, leg in zip(given, line.legs, strict=True)
            )

    def teardown(self) -> None:
        """Whatever happened: refund the rest, and every leg has given exactly what it had."""
        if not hasattr(self, "order"):
            return
        if self.refundable_cents():
            self.by_amount(1.0)
        for parts in list(self.pending):
            self.post(parts)
        for line in self.order.lines:
            assert self.given_back[line.id] == [leg.amount_cents for leg in line.legs]
            assert line.refundable().refundable_cents == 0


TestRefundingAnOrder = RefundingAnOrder.TestCase


class TestTheOrder:
    def test_only_a_paid_order_has_money_to_give_back(self) -> None:
        order = paid_order(order_line())
        order.payment_status = PaymentStatus.UNPAID
        with pytest.raises(NotPaid):
            order.intend_refund([LineRefund(order.lines[0].id, 1)])

    @pytest.mark.parametrize(
        ("returned", "state"),
        [
            (0, RefundState.NONE),
            (1, RefundState.PARTIAL),
            (2499, RefundState.PARTIAL),
            (2500, RefundState.FULL),
        ],
    )
    def test_its_refund_state_is_what_has_really_gone_back(
        self, returned: int, state: RefundState
    ) -> None:
        assert refund_state_of(total_cents=2500, returned_cents=returned) is state

"""Any cart under any terms, then refunds and disputes in any order, before and after transfers.

How many examples are tried is the profile's business: `--hypothesis-profile`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.ledger import dispute_effects, effects
from domain.ledger.earning import Earning, EarningState
from domain.ledger.effects import Part
from domain.ledger.posting import PAYABLES, Account, Transaction
from domain.licensing.royalty import Royalty, RoyaltyBase, Share, Tier
from domain.ordering.dispute import Dispute, dispute_state_of
from domain.ordering.fees import FeeRate
from domain.ordering.giving_back import Change, contest, give_back, lose, parts_of, regain
from domain.ordering.order import DisputeState, Order, OrderLine
from domain.ordering.refund import LineRefund, refund_by_amount, refund_by_quantity
from domain.ordering.settlement import part_of_leg
from domain.ordering.split import Line, MarginNegative, split
from domain.shared.disputes import DisputeReport, DisputeStatus, StepKind
from tests.builders import NOON, USD
from tests.domain.ordering.orders import order_line, paid_order

FEE_CENTS = 1500
CREATORS = [UUID(int=n) for n in (1, 2)]
PARTNER = UUID(int=3)
STORES = [UUID(int=n) for n in (11, 12)]

ROYALTIES = {
    "rate": st.integers(0, 4000).map(Royalty),
    "tiers": st.builds(
        lambda low, high, step, sold: Royalty(
            low, tiers=(Tier(step, high),), sold_before_cents=sold
        ),
        st.integers(0, 2000),
        st.integers(0, 4000),
        st.integers(1, 5000),
        st.integers(0, 6000),
    ),
    "flat": st.builds(lambda cents: Royalty(0, flat_cents=cents), st.integers(0, 300)),
    "shares": st.builds(
        lambda rate, bps: Royalty(
            rate, shares=(Share(CREATORS[0], 10_000 - bps), Share(PARTNER, bps))
        ),
        st.integers(0, 4000),
        st.integers(1, 9999),
    ),
    "recoup": st.builds(
        lambda rate, left: Royalty(rate, recoup_cents=left),
        st.integers(0, 4000),
        st.integers(0, 2000),
    ),
    "gross": st.builds(lambda rate: Royalty(rate, RoyaltyBase.GROSS), st.integers(0, 3000)),
    "after_fees": st.builds(
        lambda rate: Royalty(rate, RoyaltyBase.NET_OF_FEES), st.integers(0, 4000)
    ),
}
ROYALTIES["any"] = st.one_of(*ROYALTIES.values())


@st.composite
def orders(draw: st.DrawFn, royalty: st.SearchStrategy[Royalty]) -> Order:
    count = draw(st.integers(1, 3))
    return paid_order(*(_line(draw, position, draw(royalty)) for position in range(count)))


def _line(draw: st.DrawFn, position: int, royalty: Royalty) -> OrderLine:
    price, quantity = draw(st.integers(100, 6000)), draw(st.integers(1, 4))
    discount = draw(st.integers(0, price * quantity // 4))
    shipping, tax = draw(st.integers(0, 900)), draw(st.integers(0, 700))
    fee = FeeRate(draw(st.integers(0, 3000)), draw(st.integers(0, 30)))
    sold = Line(
        net_cents=price * quantity - discount,
        quantity=quantity,
        unit_cost_cents=draw(st.integers(0, price // 4)),
        royalty=royalty,
        creator_id=draw(st.sampled_from(CREATORS)),
        store_id=draw(st.sampled_from(STORES)),
        shipping_cents=shipping,
        tax_cents=tax,
    )
    try:
        legs = split(sold, fee)
    except MarginNegative:
        assume(False)
    line = order_line(unit_price_cents=price, quantity=quantity)
    line.id = UUID(int=100 + position)
    line.discount_cents, line.shipping_cents, line.tax_cents = discount, shipping, tax
    line.total_cents, line.legs = sum(leg.amount_cents for leg in legs), legs
    line.store_id, line.creator_id = sold.store_id, sold.creator_id
    assert line.total_cents == price * quantity - discount + shipping + tax
    return line


class Books:
    """An order with its earnings and postings, and the provider's view of the money."""

    def __init__(self, order: Order) -> None:
        self.order = order
        parts = effects.merge(
            part_of_leg(leg.kind, leg.payee_id, leg.amount_cents)
            for line in order.lines
            for leg in line.legs
        )
        self.total_cents = sum(part.amount_cents for part in parts)
        self.earnings = {
            part.payee_id: Earning(
                order_id=order.id,
                payee_id=part.payee_id,
                currency=USD,
                amount_cents=part.amount_cents,
                release_at=NOON,
            )
            for part in parts
            if part.payee_id is not None
        }
        self.posted: dict[str, Transaction] = {}
        self.post(
            effects.sale(charge_id="ch", order_id=order.id, currency=USD, parts=parts, at=NOON)
        )
        self.disputes: list[Dispute] = []
        self.refunded_cents = 0
        self.number = 0

    # What happens.

    def refund(self, parts: tuple[LineRefund, ...]) -> None:
        self.order.intend_refund(parts)
        self.number += 1
        self.refunded_cents += sum(part.amount_cents for part in parts)
        self.post(
            effects.refund(
                refund_id=UUID(int=self.number),
                order_id=self.order.id,
                currency=USD,
                parts=self.book(give_back(self.order, parts)),
                at=NOON,
            )
        )

    def hear(self, dispute: Dispute, status: DisputeStatus, **money: int) -> None:
        facts = {
            "withdrawn_cents": dispute.withdrawn_cents,
            "fee_cents": dispute.fee_cents,
            "reinstated_cents": dispute.reinstated_cents,
            "returned_fee_cents": dispute.returned_fee_cents,
        }
        report = DisputeReport(status, due_by=None, **(facts | money))
        for step in dispute.hear(report, at=NOON):
            about = {"dispute_id": dispute.id, "order_id": self.order.id, "currency": USD}
            match step.kind:
                case StepKind.OPENED:
                    parts = self.book(contest(self.order, step.amount_cents))
                    self.post(
                        dispute_effects.dispute_opened(
                            **about,  # type: ignore[arg-type]
                            parts=parts,
                            fee_cents=step.fee_cents,
                            at=NOON,
                        )
                    )
                case StepKind.WON:
                    parts = self.book(regain(self.order, step.amount_cents))
                    self.post(
                        dispute_effects.dispute_won(
                            **about,  # type: ignore[arg-type]
                            parts=parts,
                            fee_cents=step.fee_cents,
                            at=NOON,
                        )
                    )
                case StepKind.LOST:
                    parts = self.book(lose(self.order, step.amount_cents))
                    lost = dispute_effects.dispute_lost(**about, parts=parts, at=NOON)  # type: ignore[arg-type]
                    if lost is not None:
                        self.post(lost)
        posted = dict(self.posted)
        assert dispute.hear(report, at=NOON) == (), "a redelivery books nothing"
        assert self.posted == posted
        self.order.dispute_status = dispute_state_of(self.disputes)

    def open(self, amount_cents: int) -> None:
        self.number += 1
        dispute = Dispute(
            id=UUID(int=self.number),
            provider_id=f"dp_{self.number}",
            order_id=self.order.id,
            charge_id="ch",
            amount_cents=amount_cents,
            currency=USD,
            reason="fraudulent",
            status=DisputeStatus.NEEDS_RESPONSE,
            created_at=NOON,
        )
        self.disputes.append(dispute)
        self.hear(
            dispute,
            DisputeStatus.NEEDS_RESPONSE,
            withdrawn_cents=amount_cents,
            fee_cents=FEE_CENTS,
        )

    def release(self) -> None:
        """As the scheduler does it: nothing is released while a dispute is open."""
        for earning in self.earnings.values():
            if earning.state is EarningState.PENDING and not self.open_disputes:
                cents = earning.release(at=NOON + timedelta(days=7))
                if cents:
                    self.post(
                        effects.release(
                            order_id=self.order.id,
                            payee_id=earning.payee_id,
                            currency=USD,
                            amount_cents=cents,
                            at=NOON,
                        )
                    )

    # What holds.

    @property
    def open_disputes(self) -> list[Dispute]:
        return [dispute for dispute in self.disputes if dispute.is_open]

    @property
    def left_cents(self) -> int:
        return sum(line.refundable().refundable_cents for line in self.order.lines)

    def book(self, change: Change) -> list[Part]:
        return parts_of(change, self.earnings)

    def post(self, transaction: Transaction) -> None:
        assert transaction.effect_key not in self.posted
        self.posted[transaction.effect_key] = transaction

    def balances(self) -> Counter[tuple[Account, UUID | None]]:
        return Counter(effects.balances(self.posted.values()))

    def check(self) -> None:
        found = self.balances()
        assert sum(found.values()) == 0
        for (account, _), cents in found.items():
            if account in PAYABLES:
                assert cents >= 0 or account is Account.PAYABLE_AVAILABLE
        held = sum(c for (account, _), c in found.items() if account is Account.PAYABLE_DISPUTED)
        assert found[Account.CONTESTED_FUNDS, None] == -held
        fees = sum(dispute.fee_cents - dispute.returned_fee_cents for dispute in self.disputes)
        out = sum(d.withdrawn_cents - d.reinstated_cents for d in self.disputes)
        at_provider = self.total_cents - self.refunded_cents - out - fees
        assert found[Account.STRIPE_CLEARING, None] == -at_provider
        assert found[Account.DISPUTE_LOSSES, None] == -fees
        for payee_id, earning in self.earnings.items():
            held_cents = sum(found[account, payee_id] for account in PAYABLES)
            assert held_cents == earning.amount_cents - earning.returned_cents
            assert found[Account.PAYABLE_DISPUTED, payee_id] == earning.disputed_cents
        for line in self.order.lines:
            gone = line.gone_cents + line.disputed_cents
            assert 0 <= gone <= line.total_cents == sum(leg.amount_cents for leg in line.legs)

    def end(self) -> None:
        """Let the banks decide, refund the rest: everybody has given exactly what it had."""
        for dispute in self.open_disputes:
            self.hear(dispute, DisputeStatus.LOST)
        self.check()
        if self.left_cents:
            self.refund(refund_by_amount(self.refundable(), self.left_cents))
        self.check()
        left = {key for key, cents in self.balances().items() if cents}
        assert left <= {(Account.STRIPE_CLEARING, None), (Account.DISPUTE_LOSSES, None)}
        assert all(line.gone_cents == line.total_cents for line in self.order.lines)

    def refundable(self) -> list:  # type: ignore[type-arg]
        return [line.refundable() for line in self.order.lines]


def live(books: Books, data: st.DataObject) -> None:
    """One thing that may happen to an order."""
    kind = data.draw(st.sampled_from(["amount", "pieces", "open", "won", "lost", "release"]))
    opened = books.open_disputes
    match kind:
        case "amount" | "pieces" if books.order.dispute_status is DisputeState.OPEN:
            return
        case "amount" if books.left_cents:
            cents = data.draw(st.integers(1, books.left_cents))
            books.refund(refund_by_amount(books.refundable(), cents))
        case "pieces":
            line = data.draw(st.sampled_from(books.order.lines)).refundable()
            pieces = line.quantity - line.refunded_quantity
            if pieces and line.refundable_cents:
                wanted = {line.id: data.draw(st.integers(1, pieces))}
                books.refund(refund_by_quantity(books.refundable(), wanted))
        case "open" if books.left_cents:
            books.open(data.draw(st.integers(1, books.left_cents)))
        case "won" if opened:
            dispute = data.draw(st.sampled_from(opened))
            back = data.draw(st.integers(1, dispute.withdrawn_cents))
            fee = data.draw(st.sampled_from([0, FEE_CENTS]))
            books.hear(dispute, DisputeStatus.WON, reinstated_cents=back, returned_fee_cents=fee)
        case "lost" if opened:
            books.hear(data.draw(st.sampled_from(opened)), DisputeStatus.LOST)
        case "release":
            books.release()
    books.check()


@pytest.mark.parametrize("terms", ROYALTIES)
@given(data=st.data())
def test_whatever_happens_everybody_ends_with_exactly_its_part(
    terms: str, data: st.DataObject
) -> None:
    books = Books(data.draw(orders(ROYALTIES[terms])))
    books.check()
    for _ in range(data.draw(st.integers(0, 6))):
        live(books, data)
    books.end()


@given(data=st.data())
def test_what_was_won_is_as_if_it_had_never_been_disputed(data: st.DataObject) -> None:
    order = data.draw(orders(ROYALTIES["any"]))
    books = Books(order)
    cents = data.draw(st.integers(1, books.total_cents))
    first = data.draw(st.integers(0, cents - 1))
    if first:
        books.refund(refund_by_amount(books.refundable(), first))
    before = books.balances()
    books.open(data.draw(st.integers(1, books.left_cents)))
    books.check()
    (dispute,) = books.disputes
    books.hear(
        dispute,
        DisputeStatus.WON,
        reinstated_cents=dispute.withdrawn_cents,
        returned_fee_cents=FEE_CENTS,
    )
    assert +books.balances() == +before
    assert -books.balances() == -before


@given(data=st.data(), random=st.randoms())
def test_refunds_and_disputes_leave_the_same_books_in_either_order(
    data: st.DataObject, random: Random
) -> None:
    """A refund that was asked for before the bank came is answered before or after it."""
    order = data.draw(orders(ROYALTIES["any"]))
    total = sum(line.total_cents for line in order.lines)
    given_cents = data.draw(st.integers(1, total))
    parts = refund_by_amount([line.refundable() for line in order.lines], given_cents)
    contested = data.draw(st.lists(st.integers(1, total), max_size=2))

    def after(steps: Iterable[int]) -> Counter[tuple[Account, UUID | None]]:
        for line in order.lines:
            line.refunded_cents = line.refunded_quantity = line.returned_cents = 0
            line.disputed_cents = line.lost_cents = 0
        order.contested_cents, order.dispute_status = 0, DisputeState.NONE
        books = Books(order)
        order.count_refund(parts)
        total_of: Counter[tuple[Account, UUID | None]] = Counter()
        for step in steps:
            change = contest(order, contested[step]) if step >= 0 else give_back(order, parts)
            moved = contested[step] if step >= 0 else given_cents
            booked = books.book(change)
            assert sum(part.amount_cents for part in booked) == moved
            for part in booked:
                total_of[part.account, part.payee_id] += part.amount_cents
        return total_of

    steps = [-1, *range(len(contested))]
    shuffled = list(steps)
    random.shuffle(shuffled)
    one, other = after(steps), after(shuffled)
    assert {k: c for k, c in one.items() if c} == {k: c for k, c in other.items() if c}

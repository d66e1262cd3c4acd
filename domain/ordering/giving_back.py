"""What of an order goes back, is contested or is lost, and what each party gives of it.

Each party's part follows from the figures of the lines alone: what is gone (refunded or lost to a
dispute) is divided over a line's legs by Webster's method, and so is what is gone or contested
together. A change is the difference between the figures before and after. So it does not matter
in which order refunds and disputes arrive, and nobody ever gives more than it had.

Contested money lies on the lines after what is gone of them, and moves between them when more
goes. What no line can bear, because the bank takes more than is left, the platform loses.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.ledger import effects
from domain.ledger.earning import Earning
from domain.ledger.effects import Part
from domain.ledger.posting import Account
from domain.ordering.order import Order, OrderLine
from domain.ordering.refund import LineRefund
from domain.ordering.settlement import part_of_leg
from domain.ordering.split import LegKind
from domain.shared.allocation import webster


class Share(NamedTuple):
    """How one leg's part changed; both figures may be negative. `given_cents` is gone for good,
    `contested_cents` is what a bank holds."""

    kind: LegKind
    payee_id: UUID | None
    given_cents: int
    contested_cents: int


class Moved(NamedTuple):
    """What one payee's part of an order changed by."""

    given_cents: int
    contested_cents: int

    @property
    def taken_cents(self) -> int:
        return self.given_cents + self.contested_cents


class Change(NamedTuple):
    """`unborne_cents`: what of the money that moved is nobody's part: the platform's loss."""

    shares: tuple[Share, ...]
    unborne_cents: int

    def by_payee(self) -> dict[UUID, Moved]:
        """In order of their ids."""
        sums: dict[UUID, Moved] = {}
        for share in self.shares:
            if share.payee_id is not None:
                was = sums.get(share.payee_id, Moved(0, 0))
                sums[share.payee_id] = Moved(
                    was.given_cents + share.given_cents,
                    was.contested_cents + share.contested_cents,
                )
        return dict(sorted(sums.items()))


class _Parts(NamedTuple):
    gone: tuple[int, ...]
    gone_or_contested: tuple[int, ...]


def give_back(order: Order, parts: Sequence[LineRefund]) -> Change:
    """A refund succeeded. What it gives beyond what a line has left is the platform's loss."""
    by_id = {line.id: line for line in order.lines}
    touched = order.lines if order.contested_cents else [by_id[part.line_id] for part in parts]
    before = [_parts_of(line) for line in touched]
    for part in parts:
        line = by_id[part.line_id]
        line.returned_cents += min(part.amount_cents, line.total_cents - line.gone_cents)
    _lay_contested(order)
    return _change(touched, before, moved_cents=sum(part.amount_cents for part in parts))


def contest(order: Order, amount_cents: int) -> Change:
    """A bank took money back and has not decided yet."""
    before = [_parts_of(line) for line in order.lines]
    order.contested_cents += amount_cents
    _lay_contested(order)
    return _change(order.lines, before, moved_cents=amount_cents)


def regain(order: Order, amount_cents: int) -> Change:
    """The bank gave contested money back."""
    before = [_parts_of(line) for line in order.lines]
    _end_contest(order, amount_cents)
    _lay_contested(order)
    return _change(order.lines, before, moved_cents=-amount_cents)


def lose(order: Order, amount_cents: int) -> Change:
    """Contested money is gone for good; no money moves any more."""
    before = [_parts_of(line) for line in order.lines]
    _end_contest(order, amount_cents)
    for line, cents in zip(order.lines, _laid(order.lines, amount_cents), strict=True):
        line.lost_cents += cents
    _lay_contested(order)
    return _change(order.lines, before, moved_cents=0)


def parts_of(change: Change, earnings: Mapping[UUID, Earning]) -> list[Part]:
    """Change the payees' earnings; answers what each account gives (below zero: gets).

    Contested parts of payees go to `payable_disputed`, against `contested_funds`; parts of the
    platform are given at once. What nobody bears is given by `dispute_losses`.
    """
    parts = [Part(Account.DISPUTE_LOSSES, None, change.unborne_cents)]
    for share in change.shares:
        if share.payee_id is None:
            both_cents = share.given_cents + share.contested_cents
            parts.append(part_of_leg(share.kind, None, both_cents))
    for payee_id, moved in change.by_payee().items():
        from_hold_cents = earnings[payee_id].change(
            given_cents=moved.given_cents, contested_cents=moved.contested_cents
        )
        parts.extend(
            effects.taken_from(payee_id, moved.taken_cents, from_hold_cents=from_hold_cents)
        )
        parts.append(Part(Account.PAYABLE_DISPUTED, payee_id, -moved.contested_cents))
        parts.append(Part(Account.CONTESTED_FUNDS, None, moved.contested_cents))
    return list(effects.merge(parts))


def parts_given(line: OrderLine) -> tuple[int, ...]:
    """What each leg of a line has given for good."""
    return _parts_of(line).gone


def _end_contest(order: Order, amount_cents: int) -> None:
    if not 0 <= amount_cents <= order.contested_cents:
        raise ValueError("no more is decided than is contested")
    order.contested_cents -= amount_cents


def _lay_contested(order: Order) -> None:
    if not order.contested_cents and not any(line.disputed_cents for line in order.lines):
        return
    for line, cents in zip(order.lines, _laid(order.lines, order.contested_cents), strict=True):
        line.disputed_cents = cents


def _laid(lines: Sequence[OrderLine], amount_cents: int) -> tuple[int, ...]:
    """Divide an amount over the lines, going on from what is gone of each, as far as they bear."""
    gone = [line.gone_cents for line in lines]
    totals = [line.total_cents for line in lines]
    upto = min(sum(gone) + amount_cents, sum(totals))
    after = webster(upto, totals, at_least=gone)
    return tuple(now - was for was, now in zip(gone, after, strict=True))


def _parts_of(line: OrderLine) -> _Parts:
    legs = [leg.amount_cents for leg in line.legs]
    gone = webster(line.gone_cents, legs)
    if not line.disputed_cents:
        return _Parts(gone, gone)
    return _Parts(gone, webster(line.gone_cents + line.disputed_cents, legs))


def _change(lines: Sequence[OrderLine], before: Sequence[_Parts], *, moved_cents: int) -> Change:
    shares: list[Share] = []
    borne_cents = 0
    for line, was in zip(lines, before, strict=True):
        now = _parts_of(line)
        _require_within(line, now)
        for i, leg in enumerate(line.legs):
            given = now.gone[i] - was.gone[i]
            both = now.gone_or_contested[i] - was.gone_or_contested[i]
            borne_cents += both
            if given or both:
                shares.append(Share(leg.kind, leg.payee_id, given, both - given))
    return Change(tuple(shares), moved_cents - borne_cents)


def _require_within(line: OrderLine, parts: _Parts) -> None:
    """The domain's own assertion: nobody gives less than nothing, or more than it had."""
    for leg, gone, both in zip(line.legs, parts.gone, parts.gone_or_contested, strict=True):
        if not 0 <= gone <= both <= leg.amount_cents:
            raise ValueError(f"line {line.id} would give what it does not have")

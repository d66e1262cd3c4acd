"""The numbers in docs/money.md are what the code computes."""

from pathlib import Path
from uuid import UUID

from domain.ledger.posting import Account
from domain.licensing.royalty import Royalty
from domain.ordering.fees import FeeRate
from domain.ordering.refund import (
    RefundableLine,
    leg_reversals,
    refund_by_amount,
    refund_by_quantity,
)
from domain.ordering.split import Line, explain, split

PAGE = (Path(__file__).parents[2] / "docs" / "money.md").read_text()
LINE_ID = UUID(int=3)
SHIRTS = Line(
    net_cents=2 * 2599,
    quantity=2,
    unit_cost_cents=950,
    royalty=Royalty(1000),
    creator_id=UUID(int=1),
    store_id=UUID(int=2),
)
LEGS = split(SHIRTS, FeeRate(1000))


def test_the_split_is_computed_so() -> None:
    for leg in LEGS:
        name = leg.kind.replace("_", " ")
        row = f"| {name} | {explain(leg.kind, leg.reason, 'usd')} | {leg.amount_cents} |"
        assert row in PAGE


def test_the_refunds_are_computed_so() -> None:
    refunded_cents = refunded_pieces = 0
    for name, pieces, amount_cents in (
        ("$10.00, by amount", 0, 1000),
        ("one shirt", 1, None),
        ("the rest", 0, None),
    ):
        line = RefundableLine(LINE_ID, SHIRTS.net_cents, 2, refunded_cents, refunded_pieces)
        parts = (
            refund_by_quantity([line], {LINE_ID: pieces})
            if pieces
            else refund_by_amount([line], amount_cents or line.refundable_cents)
        )
        after_cents = refunded_cents + parts[0].amount_cents
        given = leg_reversals(
            [leg.amount_cents for leg in LEGS],
            refunded_before_cents=refunded_cents,
            refunded_after_cents=after_cents,
        )
        row = " | ".join(str(cents) for cents in (*given, sum(given)))
        assert f"| {name} | {row} |" in PAGE
        refunded_cents, refunded_pieces = after_cents, refunded_pieces + pieces
    assert refunded_cents == SHIRTS.net_cents


def test_every_account_is_explained() -> None:
    for account in Account:
        assert f"| `{account}` |" in PAGE

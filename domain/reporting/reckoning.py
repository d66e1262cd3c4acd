"""What a payee's statement adds up to: what came in, what went where, and what is left.

    opening + earned − refunded − disputed − paid − fees + other = balance

What an open dispute holds is the payee's still, but not in the balance: it is among `disputed`
until the dispute is won, and stays there when it is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HELD = "disputed"
"""The state of money that an open dispute holds."""

_COLUMNS = {
    "sale": "earned",
    "refund": "refunded",
    "dispute_opened": "disputed",
    "dispute_won": "disputed",
    "dispute_lost": "disputed",
    "transfer": "paid",
    "reversal": "paid",
    "payout": "paid",
    "payout_failed": "paid",
    "payout_returned": "paid",
    "processing_fee": "fees",
    "payout_fee": "fees",
}
"""Other kinds, such as guarantees and what was written off, are `other`; what only changes its
state is nothing."""


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """Of a period. `balance_cents` is what the payee has at its end in every state but held by
    open disputes, which is `held_cents`: both together are the closing total.

    What was paid and came back is not paid; what a won dispute gave back is not disputed.
    """

    opening_cents: int
    earned_cents: int
    refunded_cents: int
    disputed_cents: int
    paid_cents: int
    fees_cents: int
    other_cents: int
    balance_cents: int
    held_cents: int


def reckon(opening: Mapping[str, int], moved: Mapping[tuple[str, str], int]) -> Reckoning:
    """`opening` balances by state; what `moved` by kind of effect and state."""
    sums = dict.fromkeys(("earned", "refunded", "disputed", "paid", "fees", "other"), 0)
    held_cents = opening.get(HELD, 0)
    for (kind, state), cents in moved.items():
        column = _COLUMNS.get(kind, "other")
        if state != HELD:
            sums[column] += cents
            continue
        held_cents += cents
        if column != "disputed":  # a refund of what is contested, say: given instead of held
            sums[column] += cents
            sums["disputed"] -= cents
    opening_cents = sum(cents for state, cents in opening.items() if state != HELD)
    return Reckoning(
        opening_cents=opening_cents,
        earned_cents=sums["earned"],
        refunded_cents=-sums["refunded"],
        disputed_cents=-sums["disputed"],
        paid_cents=-sums["paid"],
        fees_cents=-sums["fees"],
        other_cents=sums["other"],
        balance_cents=opening_cents + sum(sums.values()),
        held_cents=held_cents,
    )

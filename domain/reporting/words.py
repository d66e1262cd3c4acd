"""Why a payee's money moved, in words: one sentence for each kind of effect and state."""

_KINDS = {
    "sale": "earned by order {order}",
    "processing_fee": "your share of what the payment of order {order} cost",
    "release": "the hold of order {order} is over",
    "reserve": "set aside for the transfer of order {order}",
    "transfer": "transferred to your account for order {order}",
    "guarantee": "a guarantee, paid in advance by a store",
    "refund": "your part of a refund of order {order}",
    "dispute_opened": "the buyer's bank contests the payment of order {order}",
    "dispute_won": "the dispute about order {order} was won",
    "dispute_lost": "the dispute about order {order} was lost",
    "payout_reserve": "set aside for a payout",
    "payout": "paid out",
    "payout_failed": "a payout failed, and the money is yours to withdraw again",
    "payout_returned": "a payout was returned by the bank",
    "payout_fee": "the fee of an instant payout",
    "write_off": "a debt that the platform wrote off",
    "reversal": "came back from your account after a refund of order {order}",
}
_AFTER_HOLD = "your part of a refund of order {order}, after its release"


def movement(kind: str, state: str, *, order: str | None) -> str:
    """The sentence for a posting of `kind` in `state`; unknown kinds are named as they are."""
    if kind == "refund" and state == "available":
        return _AFTER_HOLD.format(order=order)
    known = _KINDS.get(kind)
    if known is None:
        subject = f" of order {order}" if order else ""
        return f"{kind.replace('_', ' ')}{subject}"
    return known.format(order=order)


def title_of(kind: str) -> str:
    """`dispute_opened` as `Dispute opened`."""
    return kind.replace("_", " ").capitalize()

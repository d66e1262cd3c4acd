"""Our ids in Stripe's metadata, by which either side of a call is found from the other."""

from collections.abc import Mapping
from uuid import UUID

import stripe

ORDER_ID = "order_id"
REFUND_ID = "refund_id"
TRANSFER_ID = "transfer_id"
REVERSAL_ID = "reversal_id"
PAYEE_ID = "payee_id"
PAYOUT_ID = "payout_id"
PURCHASE_ID = "credit_purchase_id"
PLAN_CHECKOUT_ID = "plan_checkout_id"
USER_ID = "user_id"


def our_id(metadata: Mapping[str, str] | stripe.StripeObject | None, key: str) -> UUID | None:
    """None for objects that are not ours: the account may serve other programs too."""
    if metadata is None or key not in metadata:
        return None
    try:
        return UUID(metadata[key])
    except ValueError:
        return None


def transfer_group(order_id: UUID) -> str:
    """Ties the charge of an order to its transfers."""
    return f"order_{order_id}"

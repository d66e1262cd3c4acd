"""Orders for the rules of splitting and refunding, without a shop around them."""

from uuid import UUID, uuid4

from domain.licensing.decision import Decision, Outcome
from domain.licensing.royalty import Royalty
from domain.licensing.terms import ProductType
from domain.ordering.fees import SaleKind
from domain.ordering.order import Order, OrderLine, PaymentStatus
from domain.ordering.split import Line, split
from tests.builders import FEES, NOON, USD


def order_line(
    *,
    unit_price_cents: int = 2500,
    quantity: int = 1,
    unit_cost_cents: int = 0,
    royalty_bps: int = 1000,
    creator_id: UUID | None = None,
    store_id: UUID | None = None,
) -> OrderLine:
    creator_id, store_id = creator_id or uuid4(), store_id or uuid4()
    total_cents = unit_price_cents * quantity
    return OrderLine(
        id=uuid4(),
        order_id=uuid4(),
        position=0,
        product_id=uuid4(),
        store_id=store_id,
        creator_id=creator_id,
        asset_id=uuid4(),
        product_type=ProductType.SHIRT,
        title="A shirt",
        unit_price_cents=unit_price_cents,
        quantity=quantity,
        total_cents=total_cents,
        terms_id=uuid4(),
        terms_version=1,
        terms_hash="0" * 64,
        decision=Decision(Outcome.ALLOW, ()),
        stock_reserved=False,
        legs=split(
            Line(
                total_cents, quantity, unit_cost_cents, Royalty(royalty_bps), creator_id, store_id
            ),
            FEES.rate_of(SaleKind.MERCHANDISE),
        ),
    )


def paid_order(*lines: OrderLine) -> Order:
    return Order(
        id=uuid4(),
        buyer_id=uuid4(),
        request_key="k",
        currency=USD,
        total_cents=sum(line.total_cents for line in lines),
        fees_version=FEES.version,
        payment_status=PaymentStatus.PAID,
        charge_id="ch_1",
        created_at=NOON,
        expires_at=NOON,
        reconcile_at=NOON,
        paid_at=NOON,
        lines=list(lines),
    )

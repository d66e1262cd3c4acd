"""Tell the tax provider what was sold and what was given back, once the money has moved.

The amounts were computed before payment and are frozen in the order; a report only makes them part
of the provider's tax returns. Where a table computes the tax there is nothing to tell.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from application.ports.messages import RetryLater
from application.ports.taxes import Taxes
from application.ports.unit_of_work import UnitOfWork
from domain.ordering.refund import RefundStatus

REPORT_SALE = "taxes.report_sale"
REPORT_REFUND = "taxes.report_refund"
SALE_FIRST = timedelta(minutes=1)


class ReportSale(msgspec.Struct, frozen=True, kw_only=True):
    order_id: UUID


class ReportRefund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: UUID


async def report_sale(order_id: UUID, *, uow: UnitOfWork, taxes: Taxes) -> None:
    """Report a paid order's tax, once. Raises provider errors."""
    async with uow:
        order = await uow.orders.get(order_id)
    if order.tax_calculation_id is None or order.tax_report_id is not None:
        return
    report_id = await taxes.report_sale(order_id=order_id, calculation_id=order.tax_calculation_id)
    async with uow:
        order = await uow.orders.get(order_id, lock=True)
        order.tax_report_id = report_id
        await uow.commit()


async def report_refund(refund_id: UUID, *, uow: UnitOfWork, taxes: Taxes) -> None:
    """Report what a refund gave back, after its sale. Raises RetryLater, provider errors."""
    async with uow:
        refund = await uow.refunds.get(refund_id)
        order = await uow.orders.get(refund.order_id)
    if order.tax_calculation_id is None or refund.status is not RefundStatus.SUCCEEDED:
        return
    if order.tax_report_id is None:
        raise RetryLater("the sale has not been reported yet", delay=SALE_FIRST)
    await taxes.report_refund(
        refund_id=refund.id,
        report_id=order.tax_report_id,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
    )

"""Tell the tax provider what was sold of credits and given back, once the money has moved.

What is due on plans, whoever bills for them computes and reports by itself.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from application.ports.messages import RetryLater
from application.ports.taxes import Taxes
from application.ports.unit_of_work import UnitOfWork
from domain.studio.purchases import ChargeRefundStatus

REPORT_CREDIT_SALE = "taxes.report_credit_sale"
REPORT_CREDIT_REFUND = "taxes.report_credit_refund"
SALE_FIRST = timedelta(minutes=1)


class ReportCreditSale(msgspec.Struct, frozen=True, kw_only=True):
    purchase_id: UUID


class ReportCreditRefund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: UUID


async def report_credit_sale(purchase_id: UUID, *, uow: UnitOfWork, taxes: Taxes) -> None:
    """Report the tax of a paid purchase, once. Raises provider errors."""
    async with uow:
        purchase = await uow.credit_purchases.get(purchase_id)
    if purchase.tax_calculation_id is None or purchase.tax_report_id is not None:
        return
    report_id = await taxes.report_sale(
        order_id=purchase.id, calculation_id=purchase.tax_calculation_id
    )
    async with uow:
        stored = await uow.credit_purchases.get(purchase_id, lock=True)
        stored.tax_report_id = report_id
        await uow.commit()


async def report_credit_refund(refund_id: UUID, *, uow: UnitOfWork, taxes: Taxes) -> None:
    """Report what a refund gave back, after its sale. Raises RetryLater, provider errors."""
    async with uow:
        refund = await uow.charge_refunds.get(refund_id)
        if refund.purchase_id is None or refund.status is not ChargeRefundStatus.SUCCEEDED:
            return
        purchase = await uow.credit_purchases.get(refund.purchase_id)
    if purchase.tax_calculation_id is None:
        return
    if purchase.tax_report_id is None:
        raise RetryLater("the sale has not been reported yet", delay=SALE_FIRST)
    await taxes.report_refund(
        refund_id=refund.id,
        report_id=purchase.tax_report_id,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
    )

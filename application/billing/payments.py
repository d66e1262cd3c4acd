"""What a user has paid for credits and plans, and the provider's document of each payment."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.ports.billing import Billing
from application.ports.credits import CreditViews, PaymentRow
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.shared.errors import NotFound


class DocumentLink(msgspec.Struct, frozen=True, kw_only=True):
    """`url` is a page of the payment provider: the invoice of a plan, the receipt of credits."""

    url: str


async def list_payments(
    *, actor: Actor, before: tuple[datetime, str] | None, limit: int, views: CreditViews
) -> Sequence[PaymentRow]:
    return await views.payments(actor.user_id, before=before, limit=limit)


async def link_document(
    charge_id: str, *, actor: Actor, uow: UnitOfWork, billing: Billing
) -> DocumentLink:
    """For who paid, and administrators. Raises NotFound, provider errors."""
    async with uow:
        charge = await uow.platform_charges.find(charge_id)
    if charge is None or not (actor.is_admin or charge.user_id == actor.user_id):
        raise NotFound("payment", charge_id)
    url = await billing.document(charge_id=charge.id, invoice_id=charge.invoice_id)
    if url is None:
        raise NotFound("document", charge_id)
    return DocumentLink(url=url)

"""What a bank is shown: everything that we know of a disputed order, as files in a ZIP archive.

`parts_of_pack` lists the files; a cover or another document is one more part.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct
from application.ordering.dispute_reading import scope_of
from application.ordering.reading import list_refunds, show_order, show_statement
from application.ports.dispute_views import DisputeViews
from application.ports.unit_of_work import UnitOfWork
from application.ports.views import OrderViews
from domain.identity.actor import Actor
from domain.shared.money import format_money

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""What ZIP knows as the beginning: the same facts are the same bytes."""


class PackPart(NamedTuple):
    name: str
    content: bytes


class LineLicence(msgspec.Struct, frozen=True, kw_only=True):
    """Under which terms a line was sold, and what they said of this sale."""

    line_id: UUID
    terms_id: UUID
    terms_version: int
    terms_hash: str
    decision: Any


async def evidence_pack(
    dispute_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: OrderViews,
    dispute_views: DisputeViews,
) -> bytes:
    """The archive, for those who may answer the dispute. Raises NotFound."""
    parts = await parts_of_pack(
        dispute_id, actor=actor, uow=uow, views=views, dispute_views=dispute_views
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            archive.writestr(zipfile.ZipInfo(part.name, _FIRST_DAY), part.content)
    return packed.getvalue()


async def parts_of_pack(
    dispute_id: UUID,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: OrderViews,
    dispute_views: DisputeViews,
) -> list[PackPart]:
    scope = await scope_of(actor, uow=uow, act=StoreAct.ORDERS, as_creator=False)
    dispute = await dispute_views.one(dispute_id, scope)
    order = await show_order(dispute.order_id, actor=actor, views=views, uow=uow)
    statement = await show_statement(dispute.order_id, actor=actor, views=views, uow=uow)
    refunds = await list_refunds(dispute.order_id, actor=actor, views=views, uow=uow)
    accesses = await dispute_views.accesses(dispute.order_id)
    shown = {line.id for line in order.lines}
    own_assets = {line.asset_id for line in order.lines}
    accesses = [access for access in accesses if access.asset_id in own_assets]
    async with uow:
        sold = await uow.orders.get(dispute.order_id)
    licences = [
        LineLicence(
            line_id=line.id,
            terms_id=line.terms_id,
            terms_version=line.terms_version,
            terms_hash=line.terms_hash,
            decision=line.decision,
        )
        for line in sold.lines
        if line.id in shown
    ]
    money = f"{format_money(dispute.amount_cents, dispute.currency)} {dispute.currency.upper()}"
    summary = "\n".join(
        [
            f"Dispute {dispute.id} of order {order.id}",
            f"Reason given by the bank: {dispute.reason}",
            f"Contested: {money}",
            f"Answer due: {dispute.due_by.isoformat() if dispute.due_by else 'not said'}",
            f"Ordered: {order.created_at.isoformat()}",
            f"Paid: {order.paid_at.isoformat() if order.paid_at else 'not paid'}",
            "",
            "Sold:",
            *(f"  {line.quantity} x {line.title}" for line in order.lines),
            "",
            f"Refunds: {len(refunds)}",
            f"Deliveries of clean copies to the buyer: {len(accesses)}",
            "",
        ]
    )
    return [
        PackPart("summary.txt", summary.encode()),
        _json("dispute.json", dispute),
        _json("order.json", order),
        _json("statement.json", statement),
        _table(
            "statement.csv",
            ("line", "part", "payee", "amount_cents", "returned_cents", "reason"),
            (
                (leg.line_id, leg.kind, leg.payee, leg.amount_cents, leg.returned_cents, leg.reason)
                for leg in statement.legs
            ),
        ),
        _json("refunds.json", refunds),
        _json("licence_decisions.json", licences),
        _table(
            "deliveries.csv",
            ("asset", "at"),
            ((access.asset_id, access.at.isoformat()) for access in accesses),
        ),
    ]


def _json(name: str, content: object) -> PackPart:
    return PackPart(name, msgspec.json.format(msgspec.json.encode(content), indent=2))


def _table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> PackPart:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(head)
    table.writerows([_harmless(str(cell)) for cell in row] for row in rows)
    return PackPart(name, written.getvalue().encode())


def _harmless(cell: str) -> str:
    """A spreadsheet computes what begins like a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell

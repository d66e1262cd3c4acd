"""Invoices, receipts and credit notes of orders."""

from typing import Any
from uuid import UUID

from litestar import Response, Router, get
from litestar.params import FromPath

from application.ordering import invoice_reading
from application.ordering.invoice_reading import InvoiceView, Receipt
from application.reporting import invoice_papers
from domain.ordering.invoice import NotInvoicedYet
from domain.ordering.order import NotPaid
from domain.shared.errors import NotFound
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.formats import (
    AS_PDF,
    MEDIA_TYPES,
    Accepted,
    AskedPdf,
    Paper,
    as_json,
    as_pdf,
    documented,
    downloaded,
)
from entrypoints.http.order_reader import READER, OrderReader
from entrypoints.http.parameters import TheDocuments, TheUnitOfWork

_PDF = "`application/pdf`"


@get(
    "/{order_id:uuid}/invoice",
    opt=AS_PDF,
    responses={
        200: documented(Data[InvoiceView], _PDF),
        **errors(NotFound, NotPaid, NotInvoicedYet),
    },
)
async def read_invoice(
    order_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    documents: TheDocuments,
    asked_format: AskedPdf = None,
    accept: Accepted = None,
) -> Response[Any]:
    """The buyer has all of it; a store has an extract of its own lines, without the buyer."""
    shown = await invoice_reading.show_invoice(order_id, actor=reader, uow=uow)
    if not as_pdf(asked_format, accept):
        return as_json(Data(shown))
    content = await invoice_papers.invoice_pdf(shown, documents=documents)
    return _file(content, name=f"{shown.number}.pdf")


@get(
    "/{order_id:uuid}/receipt",
    opt=AS_PDF,
    responses={200: documented(Data[Receipt], _PDF), **errors(NotFound, NotPaid, NotInvoicedYet)},
)
async def read_receipt(
    order_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    documents: TheDocuments,
    asked_format: AskedPdf = None,
    accept: Accepted = None,
) -> Response[Any]:
    """That the order was paid, and when; it names the invoice."""
    shown = await invoice_reading.show_receipt(order_id, actor=reader, uow=uow)
    if not as_pdf(asked_format, accept):
        return as_json(Data(shown))
    content = await invoice_papers.receipt_pdf(shown, documents=documents)
    return _file(content, name=f"receipt-{shown.number}.pdf")


@get("/{order_id:uuid}/credit-notes", responses=errors(NotFound))
async def list_credit_notes(
    order_id: FromPath[UUID], reader: OrderReader, uow: TheUnitOfWork
) -> Data[list[InvoiceView]]:
    """One for each refund that succeeded and each dispute that was lost, oldest first."""
    return Data(await invoice_reading.list_credit_notes(order_id, actor=reader, uow=uow))


@get(
    "/{order_id:uuid}/credit-notes/{credit_note_id:uuid}",
    opt=AS_PDF,
    responses={200: documented(Data[InvoiceView], _PDF), **errors(NotFound)},
)
async def read_credit_note(
    order_id: FromPath[UUID],
    credit_note_id: FromPath[UUID],
    reader: OrderReader,
    uow: TheUnitOfWork,
    documents: TheDocuments,
    asked_format: AskedPdf = None,
    accept: Accepted = None,
) -> Response[Any]:
    """What was taken back of the invoice that it `corrects`."""
    shown = await invoice_reading.show_credit_note(order_id, credit_note_id, actor=reader, uow=uow)
    if not as_pdf(asked_format, accept):
        return as_json(Data(shown))
    content = await invoice_papers.invoice_pdf(shown, documents=documents)
    return _file(content, name=f"{shown.number}.pdf")


def _file(content: bytes, *, name: str) -> Response[bytes]:
    return downloaded(content, media_type=MEDIA_TYPES[Paper.PDF], name=name)


ROUTER = Router(
    "/api/v1/orders",
    dependencies=READER,
    route_handlers=[read_invoice, read_receipt, list_credit_notes, read_credit_note],
    tags=["Orders"],
)

"""Invoices, credit notes and receipts as PDF: the same bytes each time, for they are frozen."""

from application.ordering.invoice_reading import InvoiceView, Receipt
from application.ports.documents import Column, Document, DocumentRenderer, Section
from domain.ordering.invoice import InvoiceKind, InvoiceLine, Party
from domain.shared.money import format_money

_TITLES = {InvoiceKind.INVOICE: "Invoice", InvoiceKind.CREDIT_NOTE: "Credit note"}
_EXTRACT = "An extract: one seller's lines of the order and their sums."
_AMOUNTS = ("discount", "shipping", "net", "tax", "total")


async def invoice_pdf(invoice: InvoiceView, *, documents: DocumentRenderer) -> bytes:
    def money(cents: int) -> str:
        return format_money(cents, invoice.currency)

    sums = [money(c) for c in (invoice.net_cents, invoice.tax_cents, invoice.total_cents)]
    corrects = [("Corrects", invoice.corrects)] if invoice.corrects else []
    for name, cause in (("Refund", invoice.refund_id), ("Dispute", invoice.dispute_id)):
        corrects += [(name, str(cause))] if cause else []
    return await documents.pdf(
        Document(
            title=f"{_TITLES[invoice.kind]} {invoice.number}",
            facts=[
                ("Date", invoice.issued_at.date().isoformat()),
                *corrects,
                ("Order", str(invoice.order_id)),
                ("Paid", invoice.paid_at.date().isoformat()),
                *_parties(invoice.seller, invoice.buyer),
                ("Currency", invoice.currency.upper()),
            ],
            sections=[
                Section(
                    heading="Taken back" if invoice.corrects else "Sold",
                    columns=[
                        Column(title="title", share=4),
                        Column(title="pieces", right=True),
                        Column(title="a piece", right=True),
                        *(Column(title=title, right=True) for title in _AMOUNTS),
                    ],
                    rows=[
                        *(_row(line, invoice.currency) for line in invoice.lines),
                        ["Total", "", "", "", "", *sums],
                    ],
                    totals=1,
                ),
                Section(
                    heading="Tax",
                    columns=[
                        Column(title="", share=4),
                        *(Column(title=title, right=True) for title in _AMOUNTS[2:]),
                    ],
                    rows=[
                        [
                            "Lines with tax" if group.taxed else "Lines without tax",
                            money(group.net_cents),
                            money(group.tax_cents),
                            money(group.total_cents),
                        ]
                        for group in invoice.tax_totals
                    ],
                ),
            ],
            notes=[_EXTRACT] if invoice.extract else [],
            made_at=invoice.issued_at,
        )
    )


async def receipt_pdf(receipt: Receipt, *, documents: DocumentRenderer) -> bytes:
    def money(cents: int) -> str:
        return format_money(cents, receipt.currency)

    return await documents.pdf(
        Document(
            title=f"Receipt for {receipt.number}",
            facts=[
                ("Paid", receipt.paid_at.strftime("%Y-%m-%d %H:%M UTC")),
                ("Order", str(receipt.order_id)),
                *_parties(receipt.seller, receipt.buyer),
            ],
            sections=[
                Section(
                    heading="Paid for",
                    columns=[
                        Column(title="title", share=4),
                        Column(title="pieces", right=True),
                        Column(title="paid", right=True),
                    ],
                    rows=[
                        *(
                            [line.title, str(line.quantity), money(line.paid_cents)]
                            for line in receipt.lines
                        ),
                        ["Total", "", money(receipt.paid_cents)],
                    ],
                    totals=1,
                )
            ],
            notes=[_EXTRACT] if receipt.extract else [],
            made_at=receipt.issued_at,
        )
    )


def _row(line: InvoiceLine, currency: str) -> list[str]:
    amounts = (
        line.unit_price_cents,
        -line.discount_cents,
        line.shipping_cents,
        line.net_cents,
        line.tax_cents,
        line.total_cents,
    )
    pieces = str(line.quantity) if line.quantity else ""
    return [line.title, pieces, *(format_money(cents, currency) for cents in amounts)]


def _parties(seller: Party, buyer: Party | None) -> list[tuple[str, str]]:
    return [*_facts("Seller", seller), *(_facts("Buyer", buyer) if buyer else [])]


def _facts(role: str, party: Party) -> list[tuple[str, str]]:
    written = ", ".join(part for part in (party.name, *party.address, party.email) if part)
    tax_id = [(f"{role}'s tax number", party.tax_id)] if party.tax_id else []
    return [(role, written or "not told"), *tax_id]

"""An order's statement as CSV and as PDF: each line's price, and where each cent of it went.

Each reader sees the lines that it may see; nobody's name is on it.
"""

from application.ordering.reading import Statement
from application.ports.documents import Cell, Column, Document, DocumentRenderer, Section
from application.ports.views import OrderRecord, RefundRecord
from application.reporting.csv import encode_rows
from domain.reporting.words import title_of
from domain.shared.money import format_money

COLUMNS = (
    "order_id",
    "line_id",
    "title",
    "kind",
    "payee",
    "amount_cents",
    "returned_cents",
    "net_cents",
    "currency",
    "reason",
)


def order_csv(statement: Statement, order: OrderRecord) -> bytes:
    """One row for each leg. An order is short: it is written at once."""
    titles = {line.id: line.title for line in order.lines}
    rows: list[list[Cell]] = [list(COLUMNS)]
    rows += [
        [
            str(statement.order_id),
            str(leg.line_id),
            titles[leg.line_id],
            leg.kind,
            leg.payee,
            leg.amount_cents,
            leg.returned_cents,
            leg.net_cents,
            statement.currency,
            leg.reason,
        ]
        for leg in statement.legs
    ]
    rows += [
        [
            *(str(statement.order_id), None, None, "processing_fee", fee.payee),
            *(-fee.amount_cents, 0, -fee.amount_cents, statement.currency, fee.reason),
        ]
        for fee in statement.processing_fees
    ]
    return b"\xef\xbb\xbf" + encode_rows(rows)


async def order_pdf(
    statement: Statement,
    order: OrderRecord,
    refunds: list[RefundRecord],
    *,
    documents: DocumentRenderer,
) -> bytes:
    def money(cents: int) -> str:
        return format_money(cents, statement.currency)

    shown = {leg.line_id for leg in statement.legs}
    lines = [line for line in order.lines if line.id in shown]
    sums = [
        money(c) for c in (statement.total_cents, statement.returned_cents, statement.net_cents)
    ]
    return await documents.pdf(
        Document(
            title="Statement of an order",
            facts=[
                ("Order", str(statement.order_id)),
                ("Placed", order.created_at.date().isoformat()),
                ("Paid", order.paid_at.date().isoformat() if order.paid_at else "not yet"),
                ("Payment", statement.payment_status),
            ],
            sections=[
                Section(
                    heading="What was bought",
                    columns=[
                        Column(title="title", share=4),
                        Column(title="pieces", right=True),
                        Column(title="a piece", right=True),
                        Column(title="discount", right=True),
                        Column(title="shipping", right=True),
                        Column(title="tax", right=True),
                        Column(title="total", right=True),
                    ],
                    rows=[
                        [
                            line.title,
                            str(line.quantity),
                            money(line.unit_price_cents),
                            money(-line.discount_cents),
                            money(line.shipping_cents),
                            money(line.tax_cents),
                            money(line.total_cents),
                        ]
                        for line in lines
                    ],
                ),
                Section(
                    heading="Where each cent went",
                    columns=[
                        Column(title="what", share=12),
                        Column(title="to", share=14),
                        Column(title="why", share=34),
                        Column(title="amount", share=12, right=True),
                        Column(title="returned", share=12, right=True),
                        Column(title="kept", share=12, right=True),
                    ],
                    rows=[
                        *(
                            [
                                title_of(leg.kind),
                                leg.payee,
                                leg.reason,
                                money(leg.amount_cents),
                                money(leg.returned_cents),
                                money(leg.net_cents),
                            ]
                            for leg in statement.legs
                        ),
                        ["Total", "", "", *sums],
                    ],
                    totals=1,
                ),
                Section(
                    heading="Processing fees",
                    columns=[
                        Column(title="borne by", share=2),
                        Column(title="why", share=4),
                        Column(title="amount", right=True),
                    ],
                    rows=[
                        [fee.payee, fee.reason, money(fee.amount_cents)]
                        for fee in statement.processing_fees
                    ],
                ),
                Section(
                    heading="Refunds",
                    columns=[
                        Column(title="asked", share=2),
                        Column(title="state", share=2),
                        Column(title="amount", right=True),
                    ],
                    rows=[
                        [
                            refund.created_at.date().isoformat(),
                            refund.status,
                            money(sum(p.amount_cents for p in refund.lines if p.line_id in shown)),
                        ]
                        for refund in refunds
                    ],
                ),
            ],
            notes=["The parts of a line add up to what was paid for it."],
            made_at=order.paid_at or order.created_at,
        )
    )

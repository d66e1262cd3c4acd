"""Invoices add up to their orders, and credit notes to their invoices."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ordering.address import Address
from domain.ordering.invoice import (
    Invoice,
    InvoiceKind,
    Number,
    Party,
    buyer_of,
    credit_note_of,
    credited_lines,
    invoice_of,
    sums_of,
    tax_totals,
)
from domain.ordering.order import NotPaid, Order, OrderLine
from domain.ordering.refund import LineRefund
from tests.builders import NOON
from tests.domain.ordering.orders import order_line, paid_order

SELLER = Party(name="Likeness Ltd", address=("1 Market Street",), tax_id="IE1")


def priced(*, discount: int = 0, shipping: int = 0, tax: int = 0, quantity: int = 2) -> OrderLine:
    line = order_line(quantity=quantity)
    line.discount_cents, line.shipping_cents, line.tax_cents = discount, shipping, tax
    line.total_cents += shipping + tax - discount
    return line


def invoiced(order: Order, sequence: int = 123) -> Invoice:
    number = Number(InvoiceKind.INVOICE, 2026, sequence)
    buyer = buyer_of(order, name=None, email=None)
    return invoice_of(order, number, invoice_id=uuid4(), seller=SELLER, buyer=buyer, at=NOON)


def credited(invoice: Invoice, amount_cents: int, *before: Invoice) -> Invoice | None:
    part = LineRefund(invoice.lines[0].line_id, amount_cents)
    lines = credited_lines(invoice, [part], before=before)
    number = Number(InvoiceKind.CREDIT_NOTE, 2026, len(before) + 1)
    if not lines:
        return None
    return credit_note_of(invoice, lines, number, note_id=uuid4(), refund_id=uuid4(), at=NOON)


def test_an_invoice_is_the_order_in_net_tax_and_total() -> None:
    """Two shirts at $25.00, $5.00 off, $4.00 shipping, $9.31 tax; and one without tax."""
    order = paid_order(priced(discount=500, shipping=400, tax=931), priced(quantity=1))

    invoice = invoiced(order)

    assert invoice.number == "INV-2026-000123"
    assert (invoice.net_cents, invoice.tax_cents, invoice.total_cents) == (7400, 931, 8331)
    assert invoice.total_cents == order.total_cents
    assert [(group.taxed, *group.sums) for group in tax_totals(invoice.lines)] == [
        (True, 4900, 931, 5831),
        (False, 2500, 0, 2500),
    ]


def test_an_order_is_invoiced_once_it_is_paid() -> None:
    order = paid_order(priced())
    order.paid_at = None
    with pytest.raises(NotPaid):
        invoiced(order)


def test_an_invoice_that_would_not_be_the_orders_total_is_not_written() -> None:
    order = paid_order(priced())
    order.total_cents += 1
    with pytest.raises(ValueError, match="would not be its total"):
        invoiced(order)


def test_the_buyer_is_named_as_far_as_the_order_tells() -> None:
    order = paid_order(priced())
    assert buyer_of(order, name="Ada", email="ada@x.org") == Party(name="Ada", email="ada@x.org")
    order.buyer_email = "guest@x.org"
    order.ship_to = Address(country="IE", name="Grace", line1="1 Quay", city="Cork")
    assert buyer_of(order, name=None, email=None) == Party(
        name="Grace", email="guest@x.org", address=("1 Quay", "Cork", "IE")
    )


def test_a_half_is_half_of_goods_shipping_and_tax() -> None:
    invoice = invoiced(paid_order(priced(discount=500, shipping=400, tax=900)))

    note = credited(invoice, 2900)

    assert note is not None
    assert (note.number, note.corrects) == ("CRN-2026-000001", invoice.number)
    assert (note.net_cents, note.tax_cents, note.total_cents) == (2450, 450, 2900)
    assert note.lines[0].shipping_cents == 200


def test_what_is_given_back_beyond_the_price_is_on_no_note() -> None:
    invoice = invoiced(paid_order(priced()))
    first = credited(invoice, 4900)
    assert first is not None
    second = credited(invoice, 500, first)
    assert second is not None
    assert second.total_cents == 100
    assert credited(invoice, 1, first, second) is None


@given(
    discount=st.integers(0, 5000),
    shipping=st.integers(0, 3000),
    tax=st.integers(0, 2500),
    amounts=st.lists(st.integers(1, 3000), min_size=1, max_size=8),
)
def test_notes_that_take_everything_are_the_invoice_in_every_column(
    discount: int, shipping: int, tax: int, amounts: list[int]
) -> None:
    invoice = invoiced(paid_order(priced(discount=discount, shipping=shipping, tax=tax)))
    notes: list[Invoice] = []
    for amount in [*amounts, 20_000]:
        note = credited(invoice, amount, *notes)
        if note is not None:
            notes.append(note)

    lines = [line for note in notes for line in note.lines]
    assert sums_of(lines) == sums_of(invoice.lines)
    assert sum(line.shipping_cents for line in lines) == shipping
    assert all(min(sums_of([line])) >= 0 for line in lines)

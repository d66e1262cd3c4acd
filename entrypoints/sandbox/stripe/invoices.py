"""Invoices of subscriptions: made, finalized, and paid with the customer's card, or not."""

from collections.abc import Sequence

from entrypoints.sandbox.stripe import payments, taxes
from entrypoints.sandbox.stripe.customers import card_of, declines
from entrypoints.sandbox.stripe.errors import StripeProblem
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import as_list, page
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.refunds import fund_pending
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

RETRY_S = 3 * 24 * 3600
MAX_ATTEMPTS = 4


def bill(
    world: World, subscription: Object, lines: Sequence[tuple[str, int]], *, reason: str
) -> Object:
    """A finalized invoice of a subscription; `lines` are texts with cents."""
    identifier = new_id("in")
    item = subscription["items"]["data"][0]
    subtotal_cents = sum(cents for _, cents in lines)
    tax_cents = _tax_cents(world, subscription, subtotal_cents)
    total_cents = subtotal_cents + tax_cents
    invoice: Object = {
        "id": identifier,
        "object": "invoice",
        "amount_due": total_cents,
        "amount_paid": 0,
        "amount_remaining": total_cents,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "hosted_invoice_url": f"{world.config.stripe_url}/invoices/{identifier}",
        "lines": as_list(
            [
                {
                    "id": new_id("il"),
                    "object": "line_item",
                    "amount": cents,
                    "currency": subscription["currency"],
                    "description": text,
                }
                for text, cents in lines
            ],
            url=f"/v1/invoices/{identifier}/lines",
        ),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": f"SANDBOX-{len(world.invoices) + 1:04d}",
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "subscription": subscription["id"],
                "metadata": dict(subscription["metadata"]),
            },
        },
        "period_start": item["current_period_start"],
        "period_end": item["current_period_end"],
        "status": "open",
        "status_transitions": {
            "finalized_at": world.now(),
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subscription": subscription["id"],
        "subtotal": subtotal_cents,
        "total": total_cents,
        "total_taxes": [_tax(tax_cents, subtotal_cents)] if tax_cents else [],
    }
    world.invoices.add(PLATFORM, invoice)
    subscription["latest_invoice"] = identifier
    emit(world, "invoice.created", shown(invoice) | {"status": "draft"})
    emit(world, "invoice.finalized", shown(invoice))
    return invoice


def _tax_cents(world: World, subscription: Object, subtotal_cents: int) -> int:
    address = world.customers.get(PLATFORM, subscription["customer"]).get("address")
    if not subscription["automatic_tax"]["enabled"] or address is None:
        return 0
    return taxes.tax_on(max(0, subtotal_cents), address)


def _tax(tax_cents: int, subtotal_cents: int) -> Object:
    return {
        "amount": tax_cents,
        "tax_behavior": "exclusive",
        "taxability_reason": "standard_rated",
        "taxable_amount": subtotal_cents,
        "type": "tax_rate_details",
    }


def shown(invoice: Object) -> Object:
    """What the API tells: since 2025 an invoice has no `subscription` of its own."""
    return {name: value for name, value in invoice.items() if name != "subscription"}


def collect(world: World, invoice: Object) -> bool:
    """Charge the customer's card; answers whether the invoice is paid."""
    if invoice["amount_due"] <= 0:
        _paid(world, invoice, amount_cents=0)
        return True
    card = card_of(world, invoice["customer"])
    intent = payments.create_intent(
        world,
        PLATFORM,
        amount_cents=invoice["amount_due"],
        currency=invoice["currency"],
        metadata={},
        transfer_group=None,
        customer=invoice["customer"],
        description=f"Invoice {invoice['number']}",
        receipt_email=None,
        setup_future_usage=None,
    )
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if card is None or declines(card):
        refused = card if card in payments.DECLINES else "4000000000000002"
        payments.decline(world, PLATFORM, intent, card=refused)
        again = invoice["attempt_count"] < MAX_ATTEMPTS
        invoice["next_payment_attempt"] = world.now() + RETRY_S if again else None
        emit(world, "invoice.payment_failed", shown(invoice))
        return False
    payments.succeed(world, PLATFORM, intent, card=card)
    payment: Object = {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": invoice["amount_due"],
        "amount_requested": invoice["amount_due"],
        "created": world.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": world.now()},
    }
    world.invoice_payments.setdefault(invoice["id"], []).append(payment)
    _paid(world, invoice, amount_cents=invoice["amount_due"])
    fund_pending(world)
    return True


def _paid(world: World, invoice: Object, *, amount_cents: int) -> None:
    invoice |= {
        "status": "paid",
        "attempted": True,
        "amount_paid": amount_cents,
        "amount_remaining": 0,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = world.now()
    emit(world, "invoice.paid", shown(invoice))
    emit(world, "invoice.payment_succeeded", shown(invoice))


def payments_of(world: World, invoice_id: str) -> Object:
    url = f"/v1/invoices/{invoice_id}/payments"
    return as_list(world.invoice_payments.get(invoice_id, []), url=url)


@operation("GET", "/v1/invoices", "InvoiceListParams")
def list_invoices(world: World, call: Call) -> Object:
    return page(world.invoices, call, url="/v1/invoices", render=shown)


@operation("GET", "/v1/invoices/{id}", "InvoiceRetrieveParams")
def retrieve_invoice(world: World, call: Call) -> Object:
    return shown(world.invoices.get(call.account, call.ids[0]))


@operation("POST", "/v1/invoices/{id}/void", "InvoiceVoidInvoiceParams")
def void_invoice(world: World, call: Call) -> Object:
    invoice = world.invoices.get(call.account, call.ids[0])
    if invoice["status"] not in ("open", "uncollectible"):
        raise StripeProblem("You can only pass in open invoices to void them.")
    void(world, invoice)
    return shown(invoice)


def void(world: World, invoice: Object) -> None:
    invoice |= {"status": "void", "next_payment_attempt": None}
    invoice["status_transitions"]["voided_at"] = world.now()
    emit(world, "invoice.voided", shown(invoice))

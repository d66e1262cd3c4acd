"""Stripe Tax: calculations, and the transactions that report them.

The played account is registered wherever the table below has a rate; elsewhere nothing is due.
"""

from typing import Any

from entrypoints.sandbox.stripe.errors import StripeProblem, invalid, no_such
from entrypoints.sandbox.stripe.lists import as_list
from entrypoints.sandbox.stripe.metadata import initial
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import World, new_id
from entrypoints.sandbox.stripe.table import Object

RATES_BPS = {
    "US-CA": 725,
    "US-NY": 887,
    "US-TX": 825,
    "DE": 1900,
    "FR": 2000,
    "GB": 2000,
    "JP": 1000,
}
"""By country, or country and state for the United States."""
UNTAXED = frozenset({"txcd_00000000"})
DAYS_KEPT = 90


@operation("POST", "/v1/tax/calculations", "tax.CalculationCreateParams")
def create_calculation(world: World, call: Call) -> Object:
    params = call.params
    address = params.get("customer_details", {}).get("address")
    if address is None:
        raise invalid("You must provide an address.", param="customer_details[address]")
    rate = _rate(address)
    calculation_id = new_id("taxcalc")
    lines = [
        _line(item, position, rate=rate, currency=params["currency"].lower())
        for position, item in enumerate(params["line_items"])
    ]
    tax = sum(line["amount_tax"] for line in lines)
    calculation: Object = {
        "id": calculation_id,
        "object": "tax.calculation",
        "amount_total": sum(line["amount"] for line in lines) + tax,
        "currency": params["currency"].lower(),
        "created": world.now(),
        "customer": None,
        "customer_details": {"address": address, "address_source": "shipping", "tax_ids": []},
        "expires_at": world.now() + DAYS_KEPT * 86_400,
        "livemode": False,
        "shipping_cost": None,
        "tax_amount_exclusive": tax,
        "tax_amount_inclusive": 0,
        "tax_date": world.now(),
    }
    world.tax_calculations.add(call.account, calculation)
    url = f"/v1/tax/calculations/{calculation_id}/line_items"
    world.tax_lines[calculation_id] = lines
    return {**calculation, "line_items": as_list(lines, url=url)}


@operation("GET", "/v1/tax/calculations/{id}", "tax.CalculationRetrieveParams")
def retrieve_calculation(world: World, call: Call) -> Object:
    return world.tax_calculations.get(call.account, call.ids[0])


@operation(
    "POST",
    "/v1/tax/transactions/create_from_calculation",
    "tax.TransactionCreateFromCalculationParams",
)
def create_transaction(world: World, call: Call) -> Object:
    calculation = world.tax_calculations.find(call.account, call.params["calculation"])
    if calculation is None:
        raise no_such("tax calculation", call.params["calculation"], param="calculation")
    if calculation["expires_at"] <= world.now():
        raise invalid("The calculation has expired.", param="calculation", code="resource_expired")
    _require_new_reference(world, call, call.params["reference"])
    return _add(
        world,
        call,
        kind="transaction",
        amounts=[(row["amount"], row["amount_tax"]) for row in world.tax_lines[calculation["id"]]],
        currency=calculation["currency"],
    )


@operation("POST", "/v1/tax/transactions/create_reversal", "tax.TransactionCreateReversalParams")
def create_reversal(world: World, call: Call) -> Object:
    params = call.params
    original = world.tax_transactions.find(call.account, params["original_transaction"])
    if original is None:
        raise no_such(
            "tax transaction", params["original_transaction"], param="original_transaction"
        )
    _require_new_reference(world, call, params["reference"])
    total = sum(row["amount"] + row["amount_tax"] for row in original["line_items"]["data"])
    left = total - world.tax_reversed_cents[original["id"]]
    asked = left if params["mode"] == "full" else -params.get("flat_amount", 0)
    if asked <= 0:
        raise invalid("flat_amount must be a negative integer.", param="flat_amount")
    if asked > left:
        raise StripeProblem("The reversal exceeds the transaction.", param="flat_amount")
    world.tax_reversed_cents[original["id"]] += asked
    tax = sum(row["amount_tax"] for row in original["line_items"]["data"]) * asked // total
    return _add(
        world,
        call,
        kind="reversal",
        amounts=[(-(asked - tax), -tax)],
        currency=original["currency"],
        reverses=original["id"],
    )


@operation("GET", "/v1/tax/transactions/{id}", "tax.TransactionRetrieveParams")
def retrieve_transaction(world: World, call: Call) -> Object:
    return world.tax_transactions.get(call.account, call.ids[0])


def tax_on(amount_cents: int, address: Object) -> int:
    """What an invoice adds for a customer at home there."""
    return (amount_cents * _rate(address) + 5_000) // 10_000


def _rate(address: Object) -> int:
    country = address["country"].upper()
    if len(country) != 2 or not country.isalpha() or country == "XX":
        raise _unplaced("country")
    if country != "US":
        return RATES_BPS.get(country, 0)
    if not address.get("state") and not address.get("postal_code"):
        raise _unplaced("postal_code")
    return RATES_BPS.get(f"US-{address.get('state', '').upper()}", 0)


def _unplaced(field: str) -> StripeProblem:
    return StripeProblem(
        "The customer's location isn't recognized. Set a valid customer address in order to "
        "automatically calculate tax.",
        code="customer_tax_location_invalid",
        param=f"customer_details[address][{field}]",
    )


def _line(item: Object, position: int, *, rate: int, currency: str) -> Object:
    code = item.get("tax_code", "txcd_99999999")
    applied = 0 if code in UNTAXED else rate
    return {
        "id": new_id("tax_li"),
        "object": "tax.calculation_line_item",
        "amount": item["amount"],
        "amount_tax": (2 * item["amount"] * applied + 10_000) // 20_000,
        "livemode": False,
        "product": None,
        "quantity": item.get("quantity", 1),
        "reference": item.get("reference", f"L{position + 1}"),
        "tax_behavior": item.get("tax_behavior", "exclusive"),
        "tax_code": code,
    }


def _require_new_reference(world: World, call: Call, reference: str) -> None:
    known = world.tax_transactions.newest_first(call.account, index=("reference", reference))
    if next(known, None) is not None:
        raise StripeProblem(
            f"The reference '{reference}' is used by another transaction.", param="reference"
        )


def _add(
    world: World,
    call: Call,
    *,
    kind: str,
    amounts: list[tuple[int, int]],
    currency: str,
    reverses: str | None = None,
) -> Object:
    transaction_id = new_id("tax")
    lines: list[dict[str, Any]] = [
        {
            "id": new_id("tax_li"),
            "object": "tax.transaction_line_item",
            "amount": amount,
            "amount_tax": tax,
        }
        for amount, tax in amounts
    ]
    transaction: Object = {
        "id": transaction_id,
        "object": "tax.transaction",
        "created": world.now(),
        "currency": currency,
        "customer": None,
        "line_items": as_list(lines, url=f"/v1/tax/transactions/{transaction_id}/line_items"),
        "livemode": False,
        "metadata": initial(call.params.get("metadata")),
        "posted_at": world.now(),
        "reference": call.params["reference"],
        "reversal": {"original_transaction": reverses} if reverses else None,
        "tax_date": world.now(),
        "type": kind,
    }
    world.tax_transactions.add(call.account, transaction)
    return transaction

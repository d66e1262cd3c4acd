"""The lines and shipping choices of a Checkout session: with a price, or with `price_data`."""

from typing import Any

from entrypoints.sandbox.stripe.errors import invalid, missing_parameter
from entrypoints.sandbox.stripe.prices import price_named
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

MAX_LINES = 100


def line_items(world: World, params: dict[str, Any]) -> tuple[list[Object], str]:
    """The priced lines and their one currency."""
    asked = params.get("line_items")
    if not asked:
        raise missing_parameter("line_items")
    if len(asked) > MAX_LINES:
        raise invalid(f"A session holds at most {MAX_LINES} line items", param="line_items")
    lines = [_line(world, item, f"line_items[{position}]") for position, item in enumerate(asked)]
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise invalid(
            "All line items must use the same currency: " + ", ".join(sorted(currencies)),
            param="line_items",
        )
    return lines, currencies.pop()


def _line(world: World, item: Object, path: str) -> Object:
    if "price" in item:
        return _priced(world, item, path)
    if "price_data" not in item:
        raise missing_parameter(f"{path}[price_data]")
    price = item["price_data"]
    for name in ("unit_amount", "product_data"):
        if name not in price:
            raise missing_parameter(f"{path}[price_data][{name}]")
    quantity, unit_cents = item.get("quantity", 1), price["unit_amount"]
    if quantity < 1 or unit_cents < 0:
        wrong = "[quantity]" if quantity < 1 else "[price_data][unit_amount]"
        code = "parameter_invalid_integer"
        raise invalid("This value must not be negative", param=path + wrong, code=code)
    currency = price["currency"].lower()
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": quantity * unit_cents,
        "amount_tax": 0,
        "amount_total": quantity * unit_cents,
        "currency": currency,
        "description": price["product_data"]["name"],
        "price": {
            "id": new_id("price"),
            "object": "price",
            "currency": currency,
            "metadata": price["product_data"].get("metadata", {}),
            "product": new_id("prod"),
            "type": "one_time",
            "unit_amount": unit_cents,
        },
        "quantity": quantity,
    }


def _priced(world: World, item: Object, path: str) -> Object:
    price = price_named(world, PLATFORM, item["price"], param=f"{path}[price]")
    quantity = item.get("quantity", 1)
    product = world.products.get(PLATFORM, price["product"])
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": quantity * price["unit_amount"],
        "amount_tax": 0,
        "amount_total": quantity * price["unit_amount"],
        "currency": price["currency"],
        "description": product["name"],
        "price": price,
        "quantity": quantity,
    }


def shipping_options(params: dict[str, Any], currency: str) -> list[Object]:
    """The fixed-amount shipping rates on offer; the first is the one charged."""
    options: list[Object] = []
    for position, option in enumerate(params.get("shipping_options", [])):
        path = f"shipping_options[{position}][shipping_rate_data]"
        rate = option.get("shipping_rate_data")
        if rate is None or "fixed_amount" not in rate:
            raise missing_parameter(path)
        if rate["fixed_amount"]["currency"].lower() != currency:
            raise invalid("Shipping must use the session's currency", param=path)
        options.append(
            {
                "shipping_amount": rate["fixed_amount"]["amount"],
                "shipping_rate": new_id("shr"),
                "display_name": rate["display_name"],
            }
        )
    return options

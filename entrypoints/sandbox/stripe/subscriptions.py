"""Subscriptions: begun on a Checkout page, renewed by the sandbox's clock, changed, and ended."""

from calendar import monthrange
from datetime import UTC, datetime

from entrypoints.sandbox.stripe import invoices
from entrypoints.sandbox.stripe.customers import require_customer
from entrypoints.sandbox.stripe.errors import StripeProblem, invalid
from entrypoints.sandbox.stripe.events import emit
from entrypoints.sandbox.stripe.lists import as_list, page
from entrypoints.sandbox.stripe.metadata import initial, merged
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.prices import price_named
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object

ENDED = ("canceled", "incomplete_expired")
_MONTHS = {"month": 1, "year": 12}
_SECONDS = {"day": 24 * 3600, "week": 7 * 24 * 3600}


def begin(
    world: World,
    *,
    customer_id: str,
    price: Object,
    quantity: int,
    metadata: dict[str, str],
    taxed: bool = False,
) -> Object:
    """A subscription whose first invoice has yet to be paid."""
    identifier = new_id("sub")
    now = world.now()
    item: Object = {
        "id": new_id("si"),
        "object": "subscription_item",
        "created": now,
        "current_period_start": now,
        "current_period_end": _after(now, price, anchor=now),
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": identifier,
    }
    subscription: Object = {
        "id": identifier,
        "object": "subscription",
        "automatic_tax": {"enabled": taxed, "liability": None},
        "billing_cycle_anchor": now,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": price["currency"],
        "customer": customer_id,
        "default_payment_method": None,
        "ended_at": None,
        "items": as_list([item], url=f"/v1/subscription_items?subscription={identifier}"),
        "latest_invoice": None,
        "livemode": False,
        "metadata": initial(metadata),
        "start_date": now,
        "status": "incomplete",
        "trial_end": None,
        "trial_start": None,
    }
    world.subscriptions.add(PLATFORM, subscription)
    emit(world, "customer.subscription.created", _frozen(subscription))
    first = _line(price, quantity)
    invoice = invoices.bill(world, subscription, [first], reason="subscription_create")
    if invoices.collect(world, invoice):
        _turn(world, subscription, status="active")
    return subscription


def renew_due(world: World) -> None:
    """What the clock has brought: periods that end, and invoices that are tried again."""
    for subscription in list(world.subscriptions):
        while _renew_once(world, subscription):
            pass
    for invoice in list(world.invoices):
        due = invoice["next_payment_attempt"]
        if invoice["status"] == "open" and due is not None and due <= world.now():
            retry(world, invoice)


def _renew_once(world: World, subscription: Object) -> bool:
    item = subscription["items"]["data"][0]
    if subscription["status"] in (*ENDED, "incomplete"):
        return False
    if item["current_period_end"] > world.now():
        return False
    if subscription["cancel_at_period_end"]:
        end(world, subscription)
        return False
    began = item["current_period_end"]
    item["current_period_start"] = began
    item["current_period_end"] = _after(
        began, item["price"], anchor=subscription["billing_cycle_anchor"]
    )
    line = _line(item["price"], item["quantity"])
    invoice = invoices.bill(world, subscription, [line], reason="subscription_cycle")
    paid = invoices.collect(world, invoice)
    if subscription["status"] != "past_due" or not paid:
        _turn(world, subscription, status="active" if paid else "past_due")
    return True


def retry(world: World, invoice: Object) -> None:
    """Try an open invoice again: paid, the subscription is good; after too many times it ends."""
    subscription = world.subscriptions.get(PLATFORM, invoice["subscription"])
    if invoices.collect(world, invoice):
        if subscription["status"] in ("past_due", "incomplete", "unpaid"):
            _turn(world, subscription, status="active")
    elif invoice["next_payment_attempt"] is None:
        end(world, subscription)


def end(world: World, subscription: Object) -> None:
    now = world.now()
    subscription |= {"status": "canceled", "canceled_at": now, "ended_at": now}
    emit(world, "customer.subscription.deleted", _frozen(subscription))


def change(
    world: World,
    subscription: Object,
    *,
    cancel_at_period_end: bool | None = None,
    price: Object | None = None,
) -> None:
    """Cancel or resume, or another price: what that costs more until the period ends is billed at
    once, what it costs less is not given back."""
    if subscription["status"] in ENDED:
        raise StripeProblem(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    if cancel_at_period_end is not None:
        subscription["cancel_at_period_end"] = cancel_at_period_end
        subscription["canceled_at"] = world.now() if cancel_at_period_end else None
    if price is not None:
        _switch(world, subscription, price)
    emit(world, "customer.subscription.updated", _frozen(subscription))


def _switch(world: World, subscription: Object, price: Object) -> None:
    item = subscription["items"]["data"][0]
    old, item["price"] = item["price"], price
    now, ends = world.now(), item["current_period_end"]
    left = max(0, ends - now) / (ends - item["current_period_start"])
    unused = round(old["unit_amount"] * left)
    if price["recurring"]["interval"] != old["recurring"]["interval"]:
        subscription["billing_cycle_anchor"] = item["current_period_start"] = now
        item["current_period_end"] = _after(now, price, anchor=now)
        more = price["unit_amount"] - unused
    else:
        more = round(price["unit_amount"] * left) - unused
    if more > 0:
        line = ("Remaining time on the new price", more)
        invoice = invoices.bill(world, subscription, [line], reason="subscription_update")
        if not invoices.collect(world, invoice):
            subscription["status"] = "past_due"


def _turn(world: World, subscription: Object, *, status: str) -> None:
    before = subscription["status"]
    subscription["status"] = status
    previous = {"status": before} if before != status else {}
    emit(world, "customer.subscription.updated", _frozen(subscription), previous=previous)


def _frozen(subscription: Object) -> Object:
    """Events keep what was, whatever becomes of the item."""
    items = subscription["items"]
    return {**subscription, "items": {**items, "data": [dict(row) for row in items["data"]]}}


def _line(price: Object, quantity: int) -> tuple[str, int]:
    return f"{quantity} × {price['lookup_key'] or price['id']}", quantity * price["unit_amount"]


def _after(moment: int, price: Object, *, anchor: int) -> int:
    """The end of a period: months keep the anchor's day as far as a month has it."""
    interval: str = price["recurring"]["interval"]
    count: int = price["recurring"]["interval_count"]
    if interval in _SECONDS:
        return moment + _SECONDS[interval] * count
    began, first = datetime.fromtimestamp(moment, UTC), datetime.fromtimestamp(anchor, UTC)
    months = began.year * 12 + began.month - 1 + _MONTHS[interval] * count
    year, month = divmod(months, 12)
    day = min(first.day, monthrange(year, month + 1)[1])
    return int(began.replace(year=year, month=month + 1, day=day).timestamp())


@operation("GET", "/v1/subscriptions", "SubscriptionListParams")
def list_subscriptions(world: World, call: Call) -> Object:
    status, customer = call.params.get("status"), call.params.get("customer")

    def keep(row: Object) -> bool:
        if customer is not None and row["customer"] != customer:
            return False
        if status in (None, "all"):
            return status == "all" or row["status"] != "canceled"
        return bool(row["status"] == status)

    return page(world.subscriptions, call, url="/v1/subscriptions", keep=keep)


@operation("POST", "/v1/subscriptions", "SubscriptionCreateParams")
def create_subscription(world: World, call: Call) -> Object:
    params = call.params
    require_customer(world, call.account, params["customer"])
    (item,) = params.get("items") or [{}]
    if "price" not in item:
        raise invalid("The sandbox plays one item with a price", param="items")
    price = price_named(world, call.account, item["price"], param="items[0][price]")
    return begin(
        world,
        customer_id=params["customer"],
        price=price,
        quantity=item.get("quantity", 1),
        metadata=params.get("metadata", {}),
        taxed=bool(params.get("automatic_tax", {}).get("enabled")),
    )


@operation("GET", "/v1/subscriptions/{id}", "SubscriptionRetrieveParams")
def retrieve_subscription(world: World, call: Call) -> Object:
    return world.subscriptions.get(call.account, call.ids[0])


@operation("POST", "/v1/subscriptions/{id}", "SubscriptionUpdateParams")
def update_subscription(world: World, call: Call) -> Object:
    subscription = world.subscriptions.get(call.account, call.ids[0])
    if "metadata" in call.params:
        subscription["metadata"] = merged(subscription["metadata"], call.params["metadata"])
    items = call.params.get("items") or []
    price = None
    if items and "price" in items[0]:
        price = price_named(world, call.account, items[0]["price"], param="items[0][price]")
    change(
        world,
        subscription,
        cancel_at_period_end=call.params.get("cancel_at_period_end"),
        price=price,
    )
    return subscription


@operation("DELETE", "/v1/subscriptions/{id}", "SubscriptionCancelParams")
def cancel_subscription(world: World, call: Call) -> Object:
    subscription = world.subscriptions.get(call.account, call.ids[0])
    if subscription["status"] in ENDED:
        raise StripeProblem(f"No such subscription: '{subscription['id']}'", status=404)
    end(world, subscription)
    return subscription

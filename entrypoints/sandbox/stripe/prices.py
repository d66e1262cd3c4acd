"""Products and prices: what a subscription is for. A lookup key names one price at a time."""

from entrypoints.sandbox.stripe.errors import StripeProblem, invalid, no_such
from entrypoints.sandbox.stripe.lists import page
from entrypoints.sandbox.stripe.metadata import initial
from entrypoints.sandbox.stripe.operations import Call, operation
from entrypoints.sandbox.stripe.store import World, new_id
from entrypoints.sandbox.stripe.table import Object


@operation("POST", "/v1/products", "ProductCreateParams")
def create_product(world: World, call: Call) -> Object:
    return _product(world, call.account, call.params)


@operation("GET", "/v1/products", "ProductListParams")
def list_products(world: World, call: Call) -> Object:
    return page(world.products, call, url="/v1/products")


@operation("GET", "/v1/products/{id}", "ProductRetrieveParams")
def retrieve_product(world: World, call: Call) -> Object:
    return world.products.get(call.account, call.ids[0])


@operation("POST", "/v1/prices", "PriceCreateParams")
def create_price(world: World, call: Call) -> Object:
    params = call.params
    if ("product" in params) == ("product_data" in params):
        raise invalid("You must specify either `product` or `product_data`.", param="product")
    if "unit_amount" not in params:
        raise invalid("The sandbox plays prices with a unit_amount only", param="unit_amount")
    key = params.get("lookup_key")
    taken = next((price for price in world.prices if key and price["lookup_key"] == key), None)
    if taken is not None and not params.get("transfer_lookup_key"):
        raise StripeProblem(
            f"A price (`{taken['id']}`) already uses that lookup key.", param="lookup_key"
        )
    if taken is not None:
        taken["lookup_key"] = None
    if "product" in params:
        product = world.products.get(call.account, params["product"], param="product")
    else:
        product = _product(world, call.account, params["product_data"])
    return add_price(
        world,
        call.account,
        product=product,
        currency=params["currency"].lower(),
        unit_cents=params["unit_amount"],
        recurring=params.get("recurring"),
        lookup_key=key,
        metadata=initial(params.get("metadata")),
    )


def add_price(
    world: World,
    account: str,
    *,
    product: Object,
    currency: str,
    unit_cents: int,
    recurring: Object | None,
    lookup_key: str | None,
    metadata: dict[str, str],
) -> Object:
    price: Object = {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": currency,
        "livemode": False,
        "lookup_key": lookup_key,
        "metadata": metadata,
        "nickname": None,
        "product": product["id"],
        "recurring": {"interval_count": 1, "usage_type": "licensed", **recurring}
        if recurring
        else None,
        "tax_behavior": "unspecified",
        "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_cents,
    }
    return world.prices.add(account, price)


@operation("GET", "/v1/prices", "PriceListParams")
def list_prices(world: World, call: Call) -> Object:
    keys = call.params.get("lookup_keys")
    active = call.params.get("active")
    return page(
        world.prices,
        call,
        url="/v1/prices",
        keep=lambda price: (
            (keys is None or price["lookup_key"] in keys)
            and (active is None or price["active"] == active)
        ),
    )


@operation("GET", "/v1/prices/{id}", "PriceRetrieveParams")
def retrieve_price(world: World, call: Call) -> Object:
    return world.prices.get(call.account, call.ids[0])


def price_named(world: World, account: str, identifier: str, *, param: str) -> Object:
    price = world.prices.find(account, identifier)
    if price is None:
        raise no_such("price", identifier, param=param)
    return price


def _product(world: World, account: str, params: Object) -> Object:
    identifier = params.get("id") or new_id("prod")
    if world.products.find(account, identifier) is not None:
        raise StripeProblem("Product already exists.", code="resource_already_exists", param="id")
    product: Object = {
        "id": identifier,
        "object": "product",
        "active": True,
        "created": world.now(),
        "description": params.get("description"),
        "livemode": False,
        "metadata": initial(params.get("metadata")),
        "name": params["name"],
        "updated": world.now(),
    }
    return world.products.add(account, product)

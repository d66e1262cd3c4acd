"""Stores, their products and what the public sees of both."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.catalogue import products, stores
from application.catalogue.products import (
    CreateProduct,
    CurrencyUnknown,
    GenerationNotReady,
    ProductView,
    StockBelowReserved,
    UpdateProduct,
)
from application.catalogue.stores import OpenStore, StoreView, UpdateStore
from application.ledger import payees
from application.ledger.balances import store_balance
from application.ledger.payees import Onboarding, PayeeView, StartOnboarding
from application.licensing.standing import NoLicence
from application.ports.views import (
    Balance,
    ListedProduct,
    OrderSummary,
    PublicStore,
    StoreProduct,
)
from domain.catalogue.product import ListingRefused
from domain.catalogue.template import TEMPLATES
from domain.creators.creator import SlugInvalid, SlugTaken
from domain.identity.actor import RoleRequired
from domain.licensing.terms import ProductType
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheBalanceViews,
    TheCatalogueViews,
    TheClock,
    TheFees,
    TheIds,
    TheOrderViews,
    ThePayeeAccounts,
    TheUnitOfWork,
)

CurrencyCode = Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]


class TemplateView(msgspec.Struct, frozen=True, kw_only=True):
    """`production_cost_cents` is per piece, by currency."""

    product_type: ProductType
    title: str
    description: str
    print_width_px: int
    print_height_px: int
    sizes: list[str]
    colours: list[str]
    needs_shipping: bool
    production_cost_cents: dict[str, int]


@post("/", responses=errors(RoleRequired, SlugInvalid, SlugTaken))
async def open_store(
    data: JSONBody[OpenStore],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[StoreView]:
    """Open a store."""
    return Data(await stores.open_store(data, actor=actor, uow=uow, clock=clock, ids=ids))


@get("/")
async def list_stores(actor: CurrentActor, uow: TheUnitOfWork) -> Data[list[StoreView]]:
    """The caller's stores."""
    return Data(await stores.list_stores(actor=actor, uow=uow))


@get("/{store_id:uuid}", responses=errors(NotFound))
async def read_store(
    store_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[StoreView]:
    return Data(await stores.show_store(store_id, actor=actor, uow=uow))


@patch("/{store_id:uuid}", responses=errors(NotFound))
async def update_store(
    store_id: FromPath[UUID],
    data: JSONBody[UpdateStore],
    actor: CurrentActor,
    uow: TheUnitOfWork,
) -> Data[StoreView]:
    """Change a store; what is left out stays."""
    return Data(await stores.update_store(store_id, data, actor=actor, uow=uow))


@post("/{store_id:uuid}/payee/onboarding", opt=idempotent(), responses=errors(NotFound, 502, 503))
async def start_onboarding(
    store_id: FromPath[UUID],
    data: JSONBody[StartOnboarding],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payee_accounts: ThePayeeAccounts,
) -> Data[Onboarding]:
    """A link to where the store proves who it is, so that it can be paid."""
    return Data(
        await payees.start_onboarding(store_id, data, actor=actor, uow=uow, accounts=payee_accounts)
    )


@get("/{store_id:uuid}/payee", responses=errors(NotFound, 502, 503))
async def read_payee(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payee_accounts: ThePayeeAccounts,
    clock: TheClock,
) -> Data[PayeeView]:
    """Whether the store can be paid, and what is still asked of it."""
    return Data(
        await payees.show_payee(
            store_id, actor=actor, uow=uow, accounts=payee_accounts, clock=clock
        )
    )


@get("/{store_id:uuid}/balance", responses=errors(NotFound))
async def balance(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    balance_views: TheBalanceViews,
    currency: FromQuery[CurrencyCode | None] = None,
) -> Data[Balance]:
    """What the store has earned, and when it becomes available."""
    return Data(
        await store_balance(store_id, actor=actor, uow=uow, views=balance_views, currency=currency)
    )


@get("/{store_id:uuid}/orders", responses=errors(NotFound))
async def list_orders(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    order_views: TheOrderViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[OrderSummary]:
    """Orders with a line of this store, newest first; amounts are those of its lines."""
    await stores.show_store(store_id, actor=actor, uow=uow)
    found = await order_views.of_store(store_id, before=read_cursor(cursor, UUID), limit=limit + 1)
    return page_of(found, limit=limit, key=lambda order: order.id)


@post(
    "/{store_id:uuid}/products",
    opt=idempotent(),
    responses=errors(NotFound, CurrencyUnknown, GenerationNotReady, NoLicence),
)
async def create_product(
    store_id: FromPath[UUID],
    data: JSONBody[CreateProduct],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    fees: TheFees,
) -> Data[ProductView]:
    """Make a draft. `decision` says what keeps it from being sold, every reason at once."""
    return Data(
        await products.create_product(
            store_id, data, actor=actor, uow=uow, clock=clock, ids=ids, fees=fees
        )
    )


@get("/{store_id:uuid}/products", responses=errors(NotFound))
async def list_products(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    catalogue_views: TheCatalogueViews,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[StoreProduct]:
    """The store's products in every status, newest first."""
    await stores.show_store(store_id, actor=actor, uow=uow)
    found = await catalogue_views.of_store(
        store_id, before=read_cursor(cursor, UUID), limit=limit + 1
    )
    return page_of(found, limit=limit, key=lambda product: product.id)


@get("/{product_id:uuid}", responses=errors(NotFound))
async def read_product(
    product_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    fees: TheFees,
) -> Data[ProductView]:
    """The store's own view of a product, with what its gates say now."""
    return Data(
        await products.show_product(product_id, actor=actor, uow=uow, clock=clock, fees=fees)
    )


@patch(
    "/{product_id:uuid}", responses=errors(NotFound, ListingRefused, StockBelowReserved, NoLicence)
)
async def update_product(
    product_id: FromPath[UUID],
    data: JSONBody[UpdateProduct],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    fees: TheFees,
) -> Data[ProductView]:
    """Change a product; what is left out stays. On sale, the change must pass the gates."""
    return Data(
        await products.update_product(
            product_id, data, actor=actor, uow=uow, clock=clock, fees=fees
        )
    )


@post(
    "/{product_id:uuid}/publish",
    status_code=200,
    responses=errors(NotFound, ListingRefused, NoLicence),
)
async def publish_product(
    product_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    fees: TheFees,
) -> Data[ProductView]:
    """Put a product on sale, when licence, consent, payees and margin allow it."""
    return Data(
        await products.publish_product(product_id, actor=actor, uow=uow, clock=clock, fees=fees)
    )


@post("/{product_id:uuid}/unpublish", status_code=200, responses=errors(NotFound, NoLicence))
async def unpublish_product(
    product_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    fees: TheFees,
) -> Data[ProductView]:
    """Take a product off sale. Orders that are placed already go on."""
    return Data(
        await products.unpublish_product(product_id, actor=actor, uow=uow, clock=clock, fees=fees)
    )


@get("/products")
async def browse(
    catalogue_views: TheCatalogueViews,
    store: FromQuery[UUID | None] = None,
    creator: FromQuery[UUID | None] = None,
    product_type: FromQuery[ProductType | None] = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> Page[ListedProduct]:
    """Products on sale, newest first."""
    found = await catalogue_views.on_sale(
        store_id=store,
        creator_id=creator,
        product_type=product_type,
        before=read_cursor(cursor, UUID),
        limit=limit + 1,
    )
    return page_of(found, limit=limit, key=lambda product: product.id)


@get("/products/{product_id:uuid}", responses=errors(NotFound))
async def read_listed(
    product_id: FromPath[UUID], catalogue_views: TheCatalogueViews
) -> Data[ListedProduct]:
    """A product on sale."""
    return Data(await catalogue_views.listed(product_id))


@get("/{slug:str}", responses=errors(NotFound))
async def read_public(slug: FromPath[str], catalogue_views: TheCatalogueViews) -> Data[PublicStore]:
    """A store's page."""
    return Data(await catalogue_views.store(slug))


@get("/product-templates", sync_to_thread=False)
def list_templates() -> Data[list[TemplateView]]:
    """What can be made, and what one costs to make."""
    return Data(
        [
            TemplateView(
                product_type=template.product_type,
                title=template.title,
                description=template.description,
                print_width_px=template.print_width_px,
                print_height_px=template.print_height_px,
                sizes=list(template.sizes),
                colours=list(template.colours),
                needs_shipping=template.needs_shipping,
                production_cost_cents={
                    str(code): cost for code, cost in template.production_cost_cents.items()
                },
            )
            for template in TEMPLATES.values()
        ]
    )


ROUTER = Router(
    "/api/v1/stores",
    route_handlers=[
        open_store,
        list_stores,
        read_store,
        update_store,
        start_onboarding,
        read_payee,
        balance,
        list_orders,
        create_product,
        list_products,
    ],
    tags=["Stores"],
)
PRODUCTS_ROUTER = Router(
    "/api/v1/products",
    route_handlers=[read_product, update_product, publish_product, unpublish_product],
    tags=["Products"],
)
CATALOGUE_ROUTER = Router(
    "/api/v1/catalogue", route_handlers=[browse, read_listed], tags=["Catalogue"]
)
PUBLIC_STORES_ROUTER = Router(
    "/api/v1/public/stores", route_handlers=[read_public], tags=["Catalogue"]
)
TEMPLATES_ROUTER = Router("/api/v1", route_handlers=[list_templates], tags=["Catalogue"])

"""Products, for the stores that sell them."""

from uuid import UUID

from litestar import Router, get, patch, post
from litestar.params import FromPath, JSONBody

from application.catalogue import products, stores
from application.catalogue.products import (
    CreateProduct,
    CurrencyUnknown,
    GenerationNotReady,
    NobodysLikeness,
    ProductView,
    StockBelowReserved,
    UpdateProduct,
)
from application.licensing.standing import NoLicence
from application.moderation.subjects import HeldByModerators
from application.ports.views import (
    StoreProduct,
)
from domain.catalogue.product import ListingRefused
from domain.licensing.approval import ApprovalNeeded
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.moderating import UNSAYABLE
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheCatalogueViews,
    TheClock,
    TheFees,
    TheIds,
    TheModeration,
    TheUnitOfWork,
)


@post(
    "/{store_id:uuid}/products",
    opt=idempotent(),
    responses=errors(
        NotFound, CurrencyUnknown, GenerationNotReady, NobodysLikeness, NoLicence, *UNSAYABLE
    ),
)
async def create_product(
    store_id: FromPath[UUID],
    data: JSONBody[CreateProduct],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    fees: TheFees,
    moderation: TheModeration,
) -> Data[ProductView]:
    """Make a draft. `decision` says what keeps it from being sold, every reason at once."""
    return Data(
        await products.create_product(
            store_id,
            data,
            actor=actor,
            uow=uow,
            clock=clock,
            ids=ids,
            fees=fees,
            moderation=moderation,
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
    "/{product_id:uuid}",
    responses=errors(NotFound, ListingRefused, StockBelowReserved, NoLicence, *UNSAYABLE),
)
async def update_product(
    product_id: FromPath[UUID],
    data: JSONBody[UpdateProduct],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    fees: TheFees,
    moderation: TheModeration,
) -> Data[ProductView]:
    """Change a product; what is left out stays. On sale, the change must pass the gates."""
    return Data(
        await products.update_product(
            product_id,
            data,
            actor=actor,
            uow=uow,
            clock=clock,
            ids=ids,
            fees=fees,
            moderation=moderation,
        )
    )


@post(
    "/{product_id:uuid}/publish",
    status_code=200,
    responses=errors(NotFound, ListingRefused, ApprovalNeeded, NoLicence, HeldByModerators),
)
async def publish_product(
    product_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
    fees: TheFees,
) -> Data[ProductView]:
    """Put a product on sale, when licence, consent, payees and margin allow it. Where the creator
    has to approve it first, they are asked; publish it again when they have."""
    return Data(
        await products.publish_product(
            product_id, actor=actor, uow=uow, clock=clock, ids=ids, fees=fees
        )
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


ROUTER = Router("/api/v1/stores", route_handlers=[create_product, list_products], tags=["Products"])
PRODUCT_ROUTER = Router(
    "/api/v1/products",
    route_handlers=[read_product, update_product, publish_product, unpublish_product],
    tags=["Products"],
)

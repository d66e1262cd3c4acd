"""What everybody may see: products on sale, stores, creators, and what can be made."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from application.ports.views import (
    ListedProduct,
    PublicCreator,
    PublicStore,
)
from domain.catalogue.template import TEMPLATES
from domain.creators.creator import SlugInvalid, check_slug
from domain.licensing.terms import ProductType
from domain.shared.errors import NotFound
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import (
    TheCatalogueViews,
)


class SlugQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    slug: Annotated[str, msgspec.Meta(max_length=100)]


class SlugAnswer(msgspec.Struct, frozen=True):
    """`problem` says why the slug cannot be had."""

    available: bool
    problem: str | None = None


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
async def read_store(slug: FromPath[str], catalogue_views: TheCatalogueViews) -> Data[PublicStore]:
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


@get("/creators")
async def discover(
    catalogue_views: TheCatalogueViews, limit: PageLimit = 20, cursor: PageCursor = None
) -> Page[PublicCreator]:
    """Published creators, newest first."""
    found = await catalogue_views.creators(before=read_cursor(cursor, UUID), limit=limit + 1)
    return page_of(found, limit=limit, key=lambda creator: creator.id)


@get("/{slug:str}", responses=errors(NotFound))
async def read_creator(
    slug: FromPath[str], catalogue_views: TheCatalogueViews
) -> Data[PublicCreator]:
    """A published creator's page."""
    return Data(await catalogue_views.creator(slug))


@post("/slug/validate", status_code=200)
async def validate_slug(
    data: JSONBody[SlugQuestion], catalogue_views: TheCatalogueViews
) -> Data[SlugAnswer]:
    """Whether a slug can be had."""
    try:
        check_slug(data.slug)
    except SlugInvalid as error:
        return Data(SlugAnswer(available=False, problem=error.message))
    if await catalogue_views.slug_taken(data.slug):
        return Data(SlugAnswer(available=False, problem="The slug is taken."))
    return Data(SlugAnswer(available=True))


ROUTER = Router("/api/v1/catalogue", route_handlers=[browse, read_listed], tags=["Catalogue"])
TEMPLATES_ROUTER = Router("/api/v1", route_handlers=[list_templates], tags=["Catalogue"])
CREATORS_ROUTER = Router(
    "/api/v1/creators", route_handlers=[read_creator, validate_slug], tags=["Catalogue"]
)
PUBLIC_ROUTER = Router("/api/v1/public", route_handlers=[discover], tags=["Catalogue"])
PUBLIC_STORES_ROUTER = Router(
    "/api/v1/public/stores", route_handlers=[read_store], tags=["Catalogue"]
)

"""The business routes: every router that the API serves below /api/v1."""

from litestar import Router

from entrypoints.http.routes import (
    assets,
    auth,
    creators,
    files,
    generations,
    models,
    orders,
    payment_webhooks,
    provider_webhooks,
    stores,
)

ROUTERS: list[Router] = [
    auth.ROUTER,
    creators.ROUTER,
    creators.LICENSING_ROUTER,
    creators.TERMS_ROUTER,
    creators.PUBLIC_ROUTER,
    models.ROUTER,
    generations.ROUTER,
    assets.ROUTER,
    files.ROUTER,
    stores.ROUTER,
    stores.PRODUCTS_ROUTER,
    stores.CATALOGUE_ROUTER,
    stores.PUBLIC_STORES_ROUTER,
    stores.TEMPLATES_ROUTER,
    orders.CHECKOUT_ROUTER,
    orders.ROUTER,
    payment_webhooks.ROUTER,
    provider_webhooks.ROUTER,
]

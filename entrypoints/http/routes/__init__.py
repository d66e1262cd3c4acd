"""The business routes: every router that the API serves below /api/v1."""

from litestar import Router

from entrypoints.http.routes import (
    assets,
    auth,
    catalogue,
    creators,
    files,
    generations,
    licensing,
    models,
    orders,
    payees,
    payment_webhooks,
    products,
    provider_webhooks,
    staff,
    stores,
    teams,
)

ROUTERS: list[Router] = [
    auth.ROUTER,
    creators.ROUTER,
    licensing.ROUTER,
    licensing.TERMS_ROUTER,
    payees.ROUTER,
    models.ROUTER,
    generations.ROUTER,
    assets.ROUTER,
    files.ROUTER,
    teams.ROUTER,
    teams.INVITATIONS_ROUTER,
    stores.ROUTER,
    staff.ROUTER,
    products.ROUTER,
    products.PRODUCT_ROUTER,
    catalogue.ROUTER,
    catalogue.TEMPLATES_ROUTER,
    catalogue.CREATORS_ROUTER,
    catalogue.PUBLIC_ROUTER,
    catalogue.PUBLIC_STORES_ROUTER,
    orders.CHECKOUT_ROUTER,
    orders.ROUTER,
    payment_webhooks.ROUTER,
    provider_webhooks.ROUTER,
]

"""The business routes: every router that the API serves below /api/v1."""

from litestar import Router

from entrypoints.http.routes import auth

ROUTERS: list[Router] = [auth.ROUTER]

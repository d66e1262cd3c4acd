"""The business routes: every router that the API serves below /api/v1."""

from litestar import Router

ROUTERS: list[Router] = []

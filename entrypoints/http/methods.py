"""OPTIONS answers with every method of an address.

Litestar's own answer names only the methods of the first handler that took the address.
"""

from collections import defaultdict

from litestar.enums import ScopeType
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send


class MethodsKnown(ReceiveRoutePlugin):
    """Collects the methods of each route template, and answers OPTIONS with them."""

    def __init__(self) -> None:
        self._methods: defaultdict[str, set[str]] = defaultdict(set)

    def receive_route(self, route: BaseRoute) -> None:
        if isinstance(route, HTTPRoute):
            self._methods[route.path_format or "/"] |= set(route.methods)

    def layer(self, app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or scope["method"] != "OPTIONS":
                await app(scope, receive, send)
                return
            allow = ", ".join(sorted(self._methods[scope["path_template"]]))
            headers = [(b"allow", allow.encode())]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return wrapped

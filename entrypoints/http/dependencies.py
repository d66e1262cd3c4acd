"""What handlers are given by name: the ports, who is asking, and the settings.

Every field of the record of ports is a dependency of its own name, so that a handler asks for
what it uses and for nothing else:

    payments: NamedDependency[SkipValidation[Payments]]

A field that is a function or a class gives a new object for each request: so the unit of work.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from inspect import isclass, isfunction, ismethod
from typing import Any, Protocol, cast

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from application.ordering.wishes import Shopper
from application.ports.clock import Clock
from application.ports.idempotency import Idempotency
from application.ports.rate_limits import RateLimits
from application.ports.tokens import AccessTokens
from application.studio.news import Newsroom
from domain.identity.actor import Actor
from entrypoints.http.admission import ASKS_VISITOR, NEEDS_ACTOR
from entrypoints.http.authentication import actor_of, visitor_of
from entrypoints.http.exchange import exchange_of
from entrypoints.http.health import HealthCheck

CurrentActor = NamedDependency[SkipValidation[Actor]]
"""`actor: CurrentActor`: the signed-in user; strangers get a 401."""
Visitor = NamedDependency[SkipValidation[Actor | None]]
"""`visitor: Visitor`: the signed-in user, or None."""


TheShopper = NamedDependency[SkipValidation[Shopper]]
"""`shopper: TheShopper`: the signed-in user, or a stranger with the cart of their cookie."""
CART_COOKIE = "likeness_cart"


class PlatformPorts(Protocol):
    """What the platform itself needs of the record of ports."""

    @property
    def clock(self) -> Clock: ...
    @property
    def access_tokens(self) -> AccessTokens: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def rate_limits(self) -> RateLimits: ...
    @property
    def newsroom(self) -> Newsroom: ...
    @property
    def health_checks(self) -> Mapping[str, HealthCheck]: ...


def dependencies_of(ports: PlatformPorts) -> dict[str, Provide]:
    names = [field.name for field in fields(cast("Any", ports))]
    provided = {name: _provide(getattr(ports, name)) for name in names}
    return provided | {
        "actor": Provide(_actor, sync_to_thread=False),
        "visitor": Provide(_visitor, sync_to_thread=False),
        "shopper": Provide(_shopper, sync_to_thread=False),
    }


def _provide(port: Any) -> Provide:
    makes_new = isfunction(port) or ismethod(port) or isclass(port) or isinstance(port, partial)

    def make() -> Any:
        return port() if makes_new else port

    return Provide(make, sync_to_thread=False)


def _actor(request: Request[Any, Any, Any]) -> Actor:
    return actor_of(exchange_of(request.scope))


def _visitor(request: Request[Any, Any, Any]) -> Actor | None:
    return visitor_of(exchange_of(request.scope))


def _shopper(request: Request[Any, Any, Any], visitor: Visitor) -> Shopper:
    return Shopper(actor=visitor, cart_token=request.cookies.get(CART_COOKIE))


class RoutesPrepared(ReceiveRoutePlugin):
    """Marks each route with who may call it, as its parameters say, and speeds up its injection.

    Litestar resolves dependencies in a task group. Ours never wait, and one after the other they
    take a fifth of the time.
    """

    def receive_route(self, route: BaseRoute) -> None:
        if not isinstance(route, HTTPRoute):
            return
        for handler, parameters in route.route_handler_map.values():
            parameters.dependency_batches = [
                {dependency} for batch in parameters.dependency_batches for dependency in batch
            ]
            _mark(handler)


def _mark(handler: HTTPRouteHandler) -> None:
    asked = set(handler.parsed_fn_signature.parameters)
    for name, provide in handler.resolve_dependencies().items():
        if name in asked:
            asked |= set(provide.parsed_fn_signature.parameters)
    handler.opt[NEEDS_ACTOR] = "actor" in asked
    handler.opt[ASKS_VISITOR] = "visitor" in asked

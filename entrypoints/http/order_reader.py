"""Who reads an order: the signed-in user, or the guest of the order that `Order-Token` names."""

from typing import Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from application.ordering.checkout import ORDER_SEAL
from domain.identity.actor import Actor
from entrypoints.http.authentication import SignInRequired
from entrypoints.http.dependencies import Visitor
from entrypoints.http.parameters import TheSeals


def _reader(request: Request[Any, Any, Any], visitor: Visitor, seals: TheSeals) -> Actor:
    token = request.headers.get("order-token")
    content = seals.open(ORDER_SEAL, token) if token else None
    if content is not None:
        return Actor(UUID(bytes=content), frozenset())
    if visitor is None:
        raise SignInRequired
    return visitor


OrderReader = NamedDependency[SkipValidation[Actor]]
"""`reader: OrderReader`, in a router with `dependencies=READER`"""
READER = {"reader": Provide(_reader, sync_to_thread=False)}

"""What is known of the request under way, carried in its ASGI scope from the edge inwards."""

from dataclasses import dataclass, field
from typing import cast

from litestar.types import Scope

from domain.identity.actor import Actor
from domain.shared.errors import Unauthenticated


@dataclass(slots=True)
class Exchange:
    """One request and its answer. `answer_headers` are added to the answer, whoever writes it."""

    request_id: str
    client_address: str
    actor: Actor | None = None
    refusal: Unauthenticated | None = None
    """Why the token that was sent does not count; raised only by routes that ask who it is."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None


def exchange_of(scope: Scope) -> Exchange:
    return cast("Exchange", scope["state"]["exchange"])


def open_exchange(scope: Scope, exchange: Exchange) -> None:
    scope.setdefault("state", {})["exchange"] = exchange

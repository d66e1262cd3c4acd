"""What is checked of every request before its route does anything: text, media type, sign-in.

A guard of the whole application; the order decides which refusal a client hears first. Signing
in comes before anything about the body, so that strangers learn nothing about it.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import BodyKwarg
from litestar.typing import FieldDefinition

from domain.shared.errors import Invalid
from entrypoints.http.authentication import actor_of, visitor_of
from entrypoints.http.exchange import exchange_of

NEEDS_ACTOR = "needs_actor"
ASKS_VISITOR = "asks_visitor"


class QueryInvalid(Invalid):
    """The query holds a character that cannot be stored."""

    code = "query_invalid"


class UnsupportedMediaType(HTTPException):
    status_code = 415


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raises NotFound, QueryInvalid, Unauthenticated or UnsupportedMediaType."""
    path = connection.scope["path"]
    if "\x00" in path or not _encodable(path):
        raise NotFoundException
    if b"%00" in connection.scope["query_string"]:
        raise QueryInvalid("The query must not contain the character NUL.")
    if handler.opt.get(NEEDS_ACTOR):
        actor_of(exchange_of(connection.scope))
    elif handler.opt.get(ASKS_VISITOR):
        visitor_of(exchange_of(connection.scope))
    if (body := handler.parsed_data_field) is not None:
        _require_media_type(connection, media_type_of(body))


def media_type_of(body: FieldDefinition) -> str:
    definition = body.kwarg_definition
    if isinstance(definition, BodyKwarg):
        return str(getattr(definition.media_type, "value", definition.media_type))
    return "application/json"


def _require_media_type(connection: ASGIConnection[Any, Any, Any, Any], wanted: str) -> None:
    sent = connection.headers.get("content-type")
    if sent is None and connection.headers.get("content-length", "0") == "0":
        return  # no body at all: the route says whether it needs one
    media_type = (sent or "").partition(";")[0].strip().lower()
    if media_type != wanted:
        raise UnsupportedMediaType


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

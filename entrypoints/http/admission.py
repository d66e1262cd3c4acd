"""What is checked of every request before its route does anything: text, media type, sign-in.

The innermost layer; the order decides which refusal a client hears first. Signing in comes before
anything about the body, so that strangers learn nothing about it. (A guard would do the same, but
Litestar copies the route's handler for each call of one.)
"""

from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import BodyKwarg
from litestar.types import ASGIApp, Receive, Scope, Send
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


def admitted(app: ASGIApp) -> ASGIApp:
    """`app`, for requests that are worth its while.

    Raises NotFound, QueryInvalid, Unauthenticated or UnsupportedMediaType.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        _require_text(scope)
        handler = scope["route_handler"]
        if handler.opt.get(NEEDS_ACTOR):
            actor_of(exchange_of(scope))
        elif handler.opt.get(ASKS_VISITOR):
            visitor_of(exchange_of(scope))
        if (body := handler.parsed_data_field) is not None:
            _require_media_type(scope, media_type_of(body))
        await app(scope, receive, send)

    return wrapped


def _require_text(scope: Scope) -> None:
    path = scope["path"]
    if "\x00" in path or not _encodable(path):
        raise NotFoundException
    if b"%00" in scope["query_string"]:
        raise QueryInvalid("The query must not contain the character NUL.")


def media_type_of(body: FieldDefinition) -> str:
    definition = body.kwarg_definition
    if isinstance(definition, BodyKwarg):
        return str(getattr(definition.media_type, "value", definition.media_type))
    return "application/json"


def _require_media_type(scope: Scope, wanted: str) -> None:
    headers = dict(scope["headers"])
    sent = headers.get(b"content-type")
    if sent is None and headers.get(b"content-length", b"0") == b"0":
        return  # no body at all: the route says whether it needs one
    media_type = (sent or b"").decode("latin-1").partition(";")[0].strip().lower()
    if media_type != wanted:
        raise UnsupportedMediaType


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

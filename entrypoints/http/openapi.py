"""The OpenAPI 3.1 document, completed in one place.

Litestar writes down parameters, bodies and answers from the handlers' types. What holds for every
route is added here from the same facts that make it hold: who must sign in, which key header is
taken, and what any route of its kind may answer instead of its result.
"""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import msgspec.inspect
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.routes import HTTPRoute
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from entrypoints.http.admission import ASKS_VISITOR, NEEDS_ACTOR
from entrypoints.http.settings import HttpSettings

Document = dict[str, Any]

DESCRIPTION = """\
Creators license who they are; anyone makes, sells, books and subscribes under that licence; every
cent is split exactly, explained, and paid out once.

Answers are `{"data": …, "meta": {…}}`, refusals `{"error": {"code", "message", "details",
"retry_after"}}` with a stable `code`. Sign in and send `Authorization: Bearer <access token>`.
Repeating a POST is safe with an `Idempotency-Key`.
"""

ERROR_REF = {"$ref": "#/components/schemas/ErrorAnswer"}
ERROR_EXAMPLES: dict[int, dict[str, Any]] = {
    400: {
        "code": "body_invalid",
        "message": "The body is not what this route takes.",
        "details": {"amount_cents": ["Expected `int` >= 1"]},
    },
    401: {"code": "access_token_expired", "message": "The access token has expired: refresh it."},
    403: {"code": "role_required", "message": "This needs the role creator."},
    404: {"code": "not_found", "message": "There is no such order."},
    409: {"code": "stale_version", "message": "It was changed meanwhile: load it again."},
    413: {"code": "body_too_large", "message": "The body is larger than this address takes."},
    415: {
        "code": "unsupported_media_type",
        "message": "This address does not take that media type.",
    },
    422: {"code": "licence_refused", "message": "The licence does not allow commercial use."},
    429: {
        "code": "rate_limited",
        "message": "At most 600 such requests in 60 seconds.",
        "retry_after": 12,
    },
    500: {"code": "internal_error", "message": "Something failed on our side. Quote request 7f3a."},
    502: {"code": "provider_rejected", "message": "A service that this needs declined it."},
    503: {
        "code": "provider_unavailable",
        "message": "A service that this needs cannot be reached.",
        "retry_after": 5,
    },
}
KEY_PARAMETER = "IdempotencyKey"


def openapi_config(
    settings: HttpSettings, *, router: Router, plugins: Sequence[OpenAPIRenderPlugin]
) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Likeness",
        version=settings.version,
        description=DESCRIPTION,
        openapi_router=router,
        render_plugins=plugins,
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="An access token from signing in, or an API key.",
                )
            }
        ),
    )


def complete_document(app: Litestar) -> Document:
    """The document of `app`, with everything that its routes have in common."""
    document = _renamed(msgspec.to_builtins(app.openapi_schema.to_schema()))
    document["openapi"] = "3.1.0"
    document["paths"] = dict(sorted(document.get("paths", {}).items()))
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).setdefault("ErrorAnswer", _error_schema())
    components["responses"] = {_error_name(s): _error_response(s) for s in ERROR_EXAMPLES}
    components["parameters"] = {KEY_PARAMETER: _key_parameter(required=False)}
    components["headers"] = {
        "RequestId": {
            "description": "The request's id: the one sent, if it was sane, or a new one.",
            "schema": {"type": "string"},
        }
    }
    for method, path, handler in _operations(app):
        _close_bodies(components["schemas"], handler)
        operation = document.get("paths", {}).get(path, {}).get(method.lower())
        if operation is not None:
            _complete(operation, method, path, handler)
    return document


def _operations(app: Litestar) -> Iterator[tuple[Method, str, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                yield method, route.path_format or "/", handler


def _complete(
    operation: dict[str, Any], method: Method, path: str, handler: HTTPRouteHandler
) -> None:
    if handler.summary is None:
        operation["summary"] = handler.handler_name.replace("_", " ").capitalize()
    declared = {str(status) for status in handler.responses or {}}
    responses = operation.setdefault("responses", {})
    for status in _possible(method, path, handler):
        if str(status) not in declared:
            responses[str(status)] = {"$ref": f"#/components/responses/{_error_name(status)}"}
    for status, response in responses.items():
        if status.startswith("2"):
            response.setdefault("headers", {})["X-Request-Id"] = {
                "$ref": "#/components/headers/RequestId"
            }
    if handler.opt.get("takes_file"):
        operation["requestBody"] = _file_body()
    for media_type in handler.opt.get("files", ()):
        file = {"schema": {"type": "string", "format": "binary"}}
        responses["200"]["content"][media_type] = file
    if handler.opt.get(NEEDS_ACTOR):
        operation["security"] = [{"bearer": []}]
    elif handler.opt.get(ASKS_VISITOR):
        operation["security"] = [{}, {"bearer": []}]
    else:
        operation["security"] = []
    if handler.opt.get("idempotent"):
        required = bool(handler.opt.get("idempotency_required"))
        operation.setdefault("parameters", []).append(
            _key_parameter(required=True)
            if required
            else {"$ref": f"#/components/parameters/{KEY_PARAMETER}"}
        )


def _file_body() -> dict[str, Any]:
    """A file as the body itself, or in the field `file` of a form."""
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": ["file"], "properties": {"file": file}}
    return {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": file},
            "multipart/form-data": {"schema": form},
        },
    }


def _close_bodies(schemas: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """A body that refuses members it does not know is described as doing so."""
    body = handler.parsed_data_field
    if body is None or not _is_struct(body.annotation):
        return
    for struct in _structs_in(msgspec.inspect.type_info(body.annotation)):
        if struct.forbid_unknown_fields:
            schemas[struct.cls.__name__]["additionalProperties"] = False


def _is_struct(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _structs_in(found: msgspec.inspect.Type) -> Iterator[msgspec.inspect.StructType]:
    match found:
        case msgspec.inspect.StructType():
            yield found
            for field in found.fields:
                yield from _structs_in(field.type)
        case msgspec.inspect.ListType():
            yield from _structs_in(found.item_type)
        case msgspec.inspect.UnionType():
            for one in found.types:
                yield from _structs_in(one)


def _possible(method: Method, path: str, handler: HTTPRouteHandler) -> list[int]:
    """The refusals that a route of this kind may answer, whatever it is about."""
    statuses = [400, 404, 429, 500, 503]
    if handler.opt.get(NEEDS_ACTOR) or handler.opt.get(ASKS_VISITOR):
        statuses += [401, 403]
    takes_body = handler.parsed_data_field is not None or handler.opt.get("takes_file")
    if takes_body or "body" in handler.parsed_fn_signature.parameters:
        statuses += [413, 415]
    if method != "GET":
        statuses += [409, 422, 502]
    return sorted(statuses)


def _operation_id(
    handler: HTTPRouteHandler, method: Method, path: Sequence[str | PathParameterDefinition]
) -> str:
    """`orders_refund`: the module and the function, which together are unique. A handler that
    serves several addresses or methods has what tells them apart in its name too.
    """
    parts = [handler.fn.__module__.rpartition(".")[2], handler.handler_name]
    served = [set(address.strip("/").split("/")) for address in handler.paths]
    apart = set[str]().union(*served) - served[0].intersection(*served)
    parts += [part for part in path if isinstance(part, str) and part in apart]
    if len(handler.http_methods) > 1:
        parts.append(method.lower())
    return re.sub(r"\W+", "_", "_".join(parts))


def _error_name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")


def _error_response(status: int) -> dict[str, Any]:
    example = {"details": {}, "retry_after": None} | ERROR_EXAMPLES[status]
    headers: dict[str, Any] = {}
    if status == 429:
        headers["Retry-After"] = {
            "description": "Seconds to wait.",
            "schema": {"type": "integer", "minimum": 1},
        }
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string", "const": "Bearer"}}
    return {
        "description": HTTPStatus(status).phrase,
        **({"headers": headers} if headers else {}),
        "content": {"application/json": {"schema": ERROR_REF, "example": {"error": example}}},
    }


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "title": "ErrorAnswer",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "title": "ErrorBody",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "details": {
                        "type": "object",
                        "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    },
                    "retry_after": {"type": ["integer", "null"]},
                },
            }
        },
    }


def _key_parameter(*, required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "The same key with the same body takes effect once, for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    }


def _renamed(document: Document) -> Document:
    """Generic answers under short names: `Data_application.x.Order_` becomes `OrderData`."""
    schemas = document.get("components", {}).get("schemas", {})
    names = {name: _short(name) for name in schemas}
    taken: dict[str, str] = {}
    for name, short in names.items():
        if (short in schemas and short != name) or short in taken:
            names[name] = name  # two types would share it: keep the long one
        else:
            taken[short] = name
    document["components"]["schemas"] = {names[n]: schema for n, schema in schemas.items()}
    prefix = "#/components/schemas/"

    def rename(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: prefix + names.get(value.removeprefix(prefix), value.removeprefix(prefix))
                if key == "$ref" and isinstance(value, str) and value.startswith(prefix)
                else rename(value)
                for key, value in node.items()
            }
        return [rename(item) for item in node] if isinstance(node, list) else node

    renamed: Document = rename(document)
    return renamed


def _short(name: str) -> str:
    match = re.fullmatch(r"(Data|Page|NumberedPage)_(.+?)_?", name.rsplit("envelope_", 1)[-1])
    if match is None:
        return name
    inner = [part for part in re.split(r"[_.]", match.group(2)) if part[:1].isupper()]
    many = "List" if match.group(2).startswith("list_") else ""
    return f"{''.join(inner) or 'Plain'}{many}{match.group(1)}"

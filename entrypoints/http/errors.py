"""How each family of errors is answered: the one table, and what documents it.

Nothing that a client can send is answered with a 500, and no answer holds a stack trace, an SQL
statement or a provider's own words.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    NotFoundException,
    ValidationException,
)
from litestar.openapi import ResponseSpec

from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable
from domain.shared.errors import (
    Conflict,
    Gone,
    Invalid,
    LikenessError,
    NotAllowed,
    NotFound,
    RuleRefused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnsupportedType,
)
from entrypoints.http.envelope import ErrorAnswer, ErrorBody, RefusalReason
from entrypoints.http.exchange import exchange_of

log = structlog.get_logger(__name__)

STATUS_OF_FAMILY: dict[type[LikenessError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    UnsupportedType: 415,
    RuleRefused: 422,
    TooManyRequests: 429,
    Rejected: 502,
    OutcomeUnknown: 502,
    Unavailable: 503,
}

RETRY_AFTER_OUTAGE_S = 5
"""Said of an outage whose end nobody knows."""

MESSAGE_OF_PROVIDER_ERROR: dict[type[ProviderError], str] = {
    Unavailable: "A service that this needs cannot be reached. Nothing has happened: try again.",
    Rejected: "A service that this needs declined the request. Nothing has happened.",
    OutcomeUnknown: (
        "A service that this needs took the request and did not answer, so it may have happened. "
        "It is being checked, and the result will show here: do not repeat it."
    ),
}

REFUSALS_OF_THE_SERVER: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is malformed."),
    401: ("unauthenticated", "Sign in first."),
    403: ("not_allowed", "This is not allowed."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("body_too_large", "The body is larger than this address takes."),
    415: ("unsupported_media_type", "This address does not take that media type."),
    429: ("rate_limited", "Too many requests: slow down."),
}

# A value that no column or cast can hold. 22000 is what asyncpg says before it sends anything.
_INPUT_SQLSTATES = {"22000", "22001", "22003", "22008", "22021", "22P02", "22P03", "22P05"}


def status_of(family: type[LikenessError]) -> int:
    """The status of the nearest family. 500 for an error that belongs to none."""
    return next((STATUS_OF_FAMILY[c] for c in family.__mro__ if c in STATUS_OF_FAMILY), 500)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorAnswer]:
    """Litestar's exception handler for everything that any layer raises."""
    status, body, headers = describe(error)
    if status >= 500:
        exchange = exchange_of(request.scope)
        exchange.failure = error
        if status == 500:
            body = ErrorBody(
                "internal_error",
                f"Something failed on our side. Quote request {exchange.request_id}.",
            )
            log.error("request_failed", exc_info=error)
        else:
            log.warning("provider_failed", code=body.code, **_told_of_provider(error))
    return Response(
        ErrorAnswer(body), status_code=status, headers=headers, media_type="application/json"
    )


def _told_of_provider(error: Exception) -> dict[str, str]:
    """A refusal's words may repeat what a person sent; those of an outage say what to mend."""
    told = {"error": type(error).__name__}
    if isinstance(error, ProviderError):
        told["provider"] = error.provider
    if isinstance(error, Unavailable):
        told["reason"] = error.message
    return told


def describe(error: Exception) -> tuple[int, ErrorBody, dict[str, str]]:
    """Status, body and headers that answer `error`."""
    match error:
        case LikenessError():
            return _describe_ours(error)
        case InternalServerException(detail="client disconnected prematurely"):
            return 400, ErrorBody("request_incomplete", "The body broke off."), {}
        case HTTPException():
            return _describe_servers(error)
        case _ if _is_unstorable_input(error):
            log.warning("input_refused_by_database", exc_info=error)
            return 400, ErrorBody("invalid", "A value is out of the range that can be stored."), {}
    return 500, ErrorBody("internal_error", ""), {}


def _describe_ours(error: LikenessError) -> tuple[int, ErrorBody, dict[str, str]]:
    status = status_of(type(error))
    message = error.message
    if isinstance(error, ProviderError):
        kind = next((c for c in type(error).__mro__ if c in MESSAGE_OF_PROVIDER_ERROR), Unavailable)
        message = MESSAGE_OF_PROVIDER_ERROR[kind]
        status = 503 if status == 500 else status
    fields = error.facts.get("fields")
    details = fields if isinstance(fields, dict) else {}
    reasons = msgspec.convert(
        error.facts.get("reasons", ()), list[RefusalReason], from_attributes=True
    )
    for reason in reasons:
        details.setdefault(reason.field, []).append(reason.message)
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is None and isinstance(error, Unavailable):
        retry_after_s = RETRY_AFTER_OUTAGE_S
    retry_after = max(1, ceil(retry_after_s)) if retry_after_s is not None else None
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return status, ErrorBody(error.code, message, details, retry_after, reasons), headers


def _describe_servers(error: HTTPException) -> tuple[int, ErrorBody, dict[str, str]]:
    status = error.status_code
    details = _details_of(error) if isinstance(error, ValidationException) else {}
    if _is_about_the_path(error):
        status, details = 404, {}
    if status not in REFUSALS_OF_THE_SERVER:
        status = 500 if status >= 500 else 400
    if status == 500:
        return 500, ErrorBody("internal_error", ""), {}
    code, message = REFUSALS_OF_THE_SERVER[status]
    if details:
        code, message = "invalid", "Some of the input is not what this route takes."
    headers = {k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return status, ErrorBody(code, message, details), headers


def _is_about_the_path(error: HTTPException) -> bool:
    if isinstance(error, NotFoundException):
        return True
    return isinstance(error, ValidationException) and any(
        isinstance(item, Mapping) and item.get("source") == "path" for item in error.extra or ()
    )


def _details_of(error: ValidationException) -> dict[str, list[str]]:
    """Field → messages, from the shapes in which Litestar reports a bad parameter."""
    details: dict[str, list[str]] = {}
    for item in error.extra or ():
        if not isinstance(item, Mapping):
            continue
        field, message = str(item.get("key", "body")), str(item.get("message", "is not valid"))
        if missing := re.fullmatch(r"Object missing required field `(.+)`", message):
            field, message = missing.group(1), "is required"
        details.setdefault("body" if field == "data" else field, []).append(message)
    if not details and (
        missing := re.match(r"Missing required \w+ parameter '([^']+)'", error.detail)
    ):
        details[missing.group(1)] = ["is required"]
    return details


def _is_unstorable_input(error: Exception) -> bool:
    """A database driver refused a bound value: out of range, not encodable, not of the type."""
    if not hasattr(error, "statement"):
        return False
    return any(
        isinstance(cause, ValueError) or getattr(cause, "sqlstate", None) in _INPUT_SQLSTATES
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or getattr(error, "orig", None)


def errors(*refusals: type[LikenessError] | int) -> dict[int, ResponseSpec]:
    """`responses=errors(CartEmpty, LicenceRevoked, 410)`: document a route's own refusals.

    An error class is listed with its code and the first line of its docstring under its status.
    What every route may answer is added in `openapi.py`.
    """
    lines: dict[int, list[str]] = {}
    for refusal in refusals:
        if isinstance(refusal, int):
            lines.setdefault(refusal, [])
        else:
            lines.setdefault(status_of(refusal), []).append(_line_about(refusal))
    return {status: refusal_spec(status, about) for status, about in sorted(lines.items())}


def refusal_spec(status: int, about: list[str]) -> ResponseSpec:
    description = "\n".join(about) or HTTPStatus(status).phrase
    return ResponseSpec(ErrorAnswer, generate_examples=False, description=description)


def _line_about(refusal: type[LikenessError]) -> str:
    doc = refusal.__dict__.get("__doc__") or ""
    first = doc.strip().splitlines()[0] if doc.strip() else ""
    return f"`{refusal.code}`" + (f": {first}" if first else "")

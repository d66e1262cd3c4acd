"""Plaid over HTTP: link tokens, the exchange of what the link gave, tokens for processors.

What a person does on the link's page, `POST /control/plaid/pick` does: it answers the public token
and the account that the page would have given the browser.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, Router, post
from litestar.exceptions import SerializationException
from litestar.params import JSONBody

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.cut import CutResponse
from entrypoints.sandbox.failures import Failures
from entrypoints.sandbox.flowpay.world import Holder
from entrypoints.sandbox.part import part_options

AnyRequest = Request[Any, Any, Any]
LINK_LIFETIME = timedelta(hours=4)


class Pick(msgspec.Struct):
    holder: str = "Somebody"
    account_number: str = "000123456789"


def create_plaid(
    config: SandboxConfig, failures: Failures, processor_tokens: dict[str, Holder]
) -> tuple[Router, Router]:
    """The API and its controls. `processor_tokens` is what the processor may ask about."""
    public: dict[str, tuple[str, Holder]] = {}
    items: dict[str, tuple[str, Holder]] = {}

    def clear() -> None:
        public.clear()
        items.clear()
        processor_tokens.clear()

    async def body_of(request: AnyRequest) -> dict[str, Any] | Response[Any]:
        path = request.url.path.removeprefix("/plaid")
        failure = await failures.apply("plaid", f"POST {path}")
        if failure is not None and failure.kind == "status":
            return _problem(failure.status, "API_ERROR", "INTERNAL_SERVER_ERROR")
        if failure is not None and failure.kind == "timeout_after_acceptance":
            await failures.hang(failure)
            return CutResponse()
        keys = (request.headers.get("plaid-client-id"), request.headers.get("plaid-secret"))
        if keys != (config.plaid_client_id, config.plaid_secret):
            return _problem(400, "INVALID_INPUT", "INVALID_API_KEYS")
        try:
            given = await request.json()
        except SerializationException:
            given = None
        return given if isinstance(given, dict) else _problem(400, "INVALID_REQUEST", "NO_BODY")

    @post("/link/token/create", status_code=200)
    async def create_link(request: AnyRequest) -> Response[Any]:
        given = await body_of(request)
        if isinstance(given, Response):
            return given
        needed = {"client_name", "language", "country_codes", "user", "products"}
        if not needed <= given.keys() or not given["user"].get("client_user_id"):
            return _problem(400, "INVALID_REQUEST", "MISSING_FIELDS")
        expires = datetime.now(UTC) + LINK_LIFETIME
        return _answer(
            link_token=f"link-sandbox-{secrets.token_hex(8)}",
            expiration=expires.isoformat().replace("+00:00", "Z"),
        )

    @post("/item/public_token/exchange", status_code=200)
    async def exchange(request: AnyRequest) -> Response[Any]:
        given = await body_of(request)
        if isinstance(given, Response):
            return given
        found = public.pop(str(given.get("public_token")), None)
        if found is None:
            return _problem(400, "INVALID_INPUT", "INVALID_PUBLIC_TOKEN")
        access = f"access-sandbox-{secrets.token_hex(8)}"
        items[access] = found
        return _answer(access_token=access, item_id=secrets.token_hex(8))

    @post("/processor/token/create", status_code=200)
    async def processor(request: AnyRequest) -> Response[Any]:
        given = await body_of(request)
        if isinstance(given, Response):
            return given
        account_id, holder = items.get(str(given.get("access_token")), ("", None))
        if holder is None:
            return _problem(400, "INVALID_INPUT", "INVALID_ACCESS_TOKEN")
        if account_id != given.get("account_id"):
            return _problem(400, "INVALID_INPUT", "INVALID_ACCOUNT_ID")
        token = f"processor-sandbox-{secrets.token_hex(8)}"
        processor_tokens[token] = holder
        return _answer(processor_token=token)

    @post("/pick", status_code=200)
    async def pick(data: JSONBody[Pick]) -> dict[str, str]:
        token, account_id = f"public-sandbox-{secrets.token_hex(8)}", secrets.token_hex(16)
        holder = Holder(data.account_number[-4:], data.holder, linked=True)
        public[token] = (account_id, holder)
        return {"public_token": token, "account_id": account_id}

    api = Router(
        "/plaid",
        route_handlers=[create_link, exchange, processor],
        opt=part_options(reset=clear, state=lambda: {"items": len(items)}),
    )
    return api, Router("/control/plaid", route_handlers=[pick])


def _answer(**fields: str) -> Response[Any]:
    return Response({**fields, "request_id": secrets.token_hex(8)}, status_code=200)


def _problem(status: int, kind: str, code: str) -> Response[Any]:
    return Response(
        {
            "error_type": kind,
            "error_code": code,
            "error_message": "refused in the sandbox",
            "display_message": None,
            "request_id": secrets.token_hex(8),
        },
        status_code=status,
    )

"""`/stripe/v1/…`: one door for every operation, in the order in which Stripe checks a request.

Key, account, operation, idempotency key, fault, parameters, effect, expansion, answer.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import HttpMethod, Request
from litestar.handlers import HTTPRouteHandler, route
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp

from entrypoints.sandbox.failures import ConnectionCut, Failure, Failures
from entrypoints.sandbox.stripe.errors import StripeProblem, no_account_access
from entrypoints.sandbox.stripe.expansion import expand
from entrypoints.sandbox.stripe.idempotency import Answer, IdempotencyKeys
from entrypoints.sandbox.stripe.operations import Call, Operation, find_operation
from entrypoints.sandbox.stripe.store import API_VERSION, PLATFORM, World
from entrypoints.sandbox.stripe.validation import validate
from entrypoints.sandbox.stripe.wire import decode_form

PREFIX = "/stripe"
MOUNT = "/v1/{rest:path}"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Asked:
    operation: Operation
    ids: tuple[str, ...]
    account: str
    key: str | None
    form: str


def create_api(world: World, keys: IdempotencyKeys, failures: Failures) -> HTTPRouteHandler:
    @route(MOUNT, http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE])
    async def api(request: Request[Any, Any, Any]) -> ASGIApp:
        try:
            asked = await _understand(world, request)
            if asked.key is None:
                return await _perform(asked)
            return await _perform_once(asked, asked.key)
        except StripeProblem as problem:
            return _respond(request_answer(problem))

    async def _perform(asked: _Asked) -> ASGIApp:
        failure = await failures.apply("stripe", asked.operation.name)
        answer, _ = _execute(world, asked, failure)
        if failure is not None and failure.kind == "timeout_after_acceptance":
            await failures.hang(failure)
            return ConnectionCut()
        return _respond(answer)

    async def _perform_once(asked: _Asked, key: str) -> ASGIApp:
        fields = "&".join(sorted(asked.form.split("&")))
        request = f"{asked.operation.name} {asked.ids} {fields}".encode()
        kept = keys.begin(asked.account, key, request=request)
        if kept is not None:
            return _respond(kept, {"Idempotency-Key": key, "Idempotent-Replayed": "true"})
        answer: Answer | None = None
        keep = False
        try:
            failure = await failures.apply("stripe", asked.operation.name)
            answer, keep = _execute(world, asked, failure)
            if failure is not None and failure.kind == "timeout_after_acceptance":
                await failures.hang(failure)
                return ConnectionCut()
        finally:
            keys.finish(asked.account, key, answer if keep else None)
        return _respond(answer, {"Idempotency-Key": key})

    return api


async def _understand(world: World, request: Request[Any, Any, Any]) -> _Asked:
    _authenticate(world, request.headers.get("authorization", ""))
    account = request.headers.get("stripe-account") or PLATFORM
    if account != PLATFORM and world.accounts.find(PLATFORM, account) is None:
        raise no_account_access(account)
    method = str(request.method)
    path = str(request.scope["path"]).rstrip("/").removeprefix(PREFIX)
    found = find_operation(method, path)
    if found is None:
        message = f"Unrecognized request URL ({method}: {path})."
        raise StripeProblem(message, status=404, kept=False)
    form = request.scope["query_string"].decode()
    if method == "POST":
        body = await request.body()
        if body and not request.headers.get("content-type", "").startswith(FORM):
            message = f"Invalid request (check that your POST content type is {FORM})."
            raise StripeProblem(message, kept=False)
        form = body.decode()
    key = request.headers.get("idempotency-key") if method == "POST" else None
    return _Asked(operation=found[0], ids=found[1], account=account, key=key, form=form)


def _authenticate(world: World, authorization: str) -> None:
    scheme, _, key = authorization.partition(" ")
    expected = world.config.stripe_secret_key
    if scheme.lower() == "bearer" and secrets.compare_digest(key.encode(), expected.encode()):
        return
    message = (
        "Invalid API Key provided"
        if key
        else "You did not provide an API key. Provide it in the Authorization header: 'Bearer …'."
    )
    raise StripeProblem(message, status=401, kept=False)


def _execute(world: World, asked: _Asked, failure: Failure | None) -> tuple[Answer, bool]:
    """Run one operation; answers also whether its idempotency key keeps the answer."""
    try:
        if failure is not None:
            _fail(failure)
        params = validate(asked.operation.params_type, decode_form(asked.form))
        paths = params.pop("expand", [])
        outcome = asked.operation.act(world, Call(asked.account, asked.ids, params))
        outcome = expand(world, outcome, paths)
    except StripeProblem as problem:
        return request_answer(problem), problem.kept
    return Answer(200, msgspec.json.encode(outcome)), True


def _fail(failure: Failure) -> None:
    """A 500 is kept under its key, as Stripe keeps it; a 429 or 503 is not."""
    match failure.kind:
        case "refuse":
            raise StripeProblem(failure.message or "This request was refused.", status=400)
        case "status":
            raise StripeProblem(
                failure.message or "Something went wrong on Stripe's side.",
                status=failure.status,
                kind="invalid_request_error" if failure.status < 500 else "api_error",
                code="rate_limit" if failure.status == 429 else None,
                kept=failure.status == 500,
            )
        case _:
            return


def request_answer(problem: StripeProblem) -> Answer:
    return Answer(problem.status, msgspec.json.encode(problem.body()))


def _respond(answer: Answer, headers: dict[str, str] | None = None) -> ASGIApp:
    return ASGIResponse(
        body=answer.body,
        status_code=answer.status,
        media_type="application/json",
        headers={
            "Request-Id": f"req_{secrets.token_hex(7)}",
            "Stripe-Version": API_VERSION,
            **(headers or {}),
        },
    )

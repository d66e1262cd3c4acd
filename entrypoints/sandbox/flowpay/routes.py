"""FlowPay over HTTP, and `/control/flowpay/…` for what happens at the banks."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.cut import CutResponse
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failures
from entrypoints.sandbox.flowpay.world import FlowPay, Holder, Object, Problem, TransferBody
from entrypoints.sandbox.part import part_options

AnyRequest = Request[Any, Any, Any]
Act = Callable[[bytes], Object]


class AccountBody(msgspec.Struct, forbid_unknown_fields=True):
    token: str | None = None
    processor_token: str | None = None


class Amounts(msgspec.Struct, forbid_unknown_fields=True):
    amounts: list[int]


class Numbers(msgspec.Struct):
    """What a payee types into FlowPay's form; only there are account numbers seen."""

    account_number: str
    holder_name: str
    currency: str = "usd"


class Ending(msgspec.Struct):
    code: str = "account_closed"


class Behaviour(msgspec.Struct):
    """What is left out stays. `automatic`: transfers are completed by themselves."""

    automatic: bool | None = None
    webhook_url: str | None = None
    funds: int | None = None
    currency: str = "usd"


def create_flowpay(
    config: SandboxConfig,
    delivery: Delivery,
    failures: Failures,
    processor_tokens: dict[str, Holder],
) -> tuple[Router, Router]:
    """The API and its controls."""
    world = FlowPay(config, delivery, processor_tokens)

    async def answer(
        request: AnyRequest, act: Act, *, status: int = 200, keyed: bool = False
    ) -> Response[Any]:
        path = request.url.path.removeprefix("/flowpay")
        failure = await failures.apply("flowpay", f"{request.method} {path}")
        if failure is not None and failure.kind == "status":
            return _problem(Problem(failure.status, "unavailable", failure.message or "away"))
        if request.headers.get("authorization") != f"Bearer {config.flowpay_api_key}":
            return _problem(Problem(401, "unauthorized", "The key is not valid."))
        if failure is not None and failure.kind == "refuse":
            return _problem(Problem(422, failure.message or "refused", "Refused on purpose."))
        body = await request.body()
        key = request.headers.get("idempotency-key", "")
        try:
            kept = world.replay(path, key, body) if keyed and key else None
            given = kept if kept is not None else act(body)
        except Problem as problem:
            return _problem(problem)
        except (msgspec.MsgspecError, ValueError) as error:
            return _problem(Problem(422, "invalid_request", str(error)))
        if keyed and key and kept is None:
            given = dict(given)  # as it was: what happens later does not change the answer
            world.keep(path, key, given)
        if failure is not None:
            await failures.hang(failure)
            return CutResponse()
        return Response(
            msgspec.json.encode(given), status_code=status, media_type="application/json"
        )

    @post("/v1/transfers", status_code=201)
    async def create_transfer(request: AnyRequest) -> Response[Any]:
        if not request.headers.get("idempotency-key"):
            return _problem(Problem(400, "idempotency_key_required", "Send an Idempotency-Key."))

        def act(body: bytes) -> Object:
            return world.transfer(msgspec.json.decode(body, type=TransferBody))

        return await answer(request, act, status=201, keyed=True)

    @get("/v1/transfers/{transfer_id:str}")
    async def read_transfer(request: AnyRequest, transfer_id: FromPath[str]) -> Response[Any]:
        return await answer(request, lambda _: world.find(transfer_id))

    @get("/v1/transfers")
    async def list_transfers(request: AnyRequest, reference: FromQuery[str] = "") -> Response[Any]:
        return await answer(request, lambda _: {"data": world.by_reference(reference)})

    @post("/v1/accounts", status_code=201)
    async def open_account(request: AnyRequest) -> Response[Any]:
        def act(body: bytes) -> Object:
            given = msgspec.json.decode(body, type=AccountBody)
            return world.open_account(token=given.token, processor_token=given.processor_token)

        return await answer(request, act, status=201, keyed=True)

    @post("/v1/accounts/{account_id:str}/verify", status_code=200)
    async def verify(request: AnyRequest, account_id: FromPath[str]) -> Response[Any]:
        def act(body: bytes) -> Object:
            return world.verify(account_id, msgspec.json.decode(body, type=Amounts).amounts)

        return await answer(request, act)

    @delete("/v1/accounts/{account_id:str}", status_code=200)
    async def close(request: AnyRequest, account_id: FromPath[str]) -> Response[Any]:
        def act(_: bytes) -> Object:
            world.close(account_id)
            return {}

        return await answer(request, act)

    @get("/v1/balance")
    async def balance(request: AnyRequest) -> Response[Any]:
        return await answer(request, lambda _: {"available": dict(world.funds)})

    @post("/v1/tokens", status_code=201)
    async def tokenise(data: JSONBody[Numbers]) -> dict[str, str]:
        """From the payee's browser, without our key."""
        return {
            "id": world.tokenise(Holder(data.account_number[-4:], data.holder_name, data.currency))
        }

    @post("/transfers/{transfer_id:str}/complete", status_code=200)
    async def complete(transfer_id: FromPath[str]) -> Object:
        world.complete(found := world.find(transfer_id))
        return found

    @post("/transfers/{transfer_id:str}/fail", status_code=200)
    async def fail(transfer_id: FromPath[str], data: JSONBody[Ending]) -> Object:
        world.fail(found := world.find(transfer_id), code=data.code)
        return found

    @post("/transfers/{transfer_id:str}/return", status_code=200)
    async def give_back(transfer_id: FromPath[str], data: JSONBody[Ending]) -> Object:
        world.give_back(found := world.find(transfer_id), code=data.code)
        return found

    @post("/behaviour", status_code=200)
    async def behave(data: JSONBody[Behaviour]) -> Behaviour:
        if data.automatic is not None:
            world.automatic = data.automatic
        if data.webhook_url is not None:
            world.url = data.webhook_url
        if data.funds is not None:
            world.funds[data.currency] = data.funds
        return data

    api = Router(
        "/flowpay",
        route_handlers=[
            create_transfer,
            read_transfer,
            list_transfers,
            open_account,
            verify,
            close,
            balance,
            tokenise,
        ],
        opt=part_options(reset=world.clear, state=world.state),
    )
    control = Router(
        "/control/flowpay",
        route_handlers=[complete, fail, give_back, behave],
        exception_handlers={Problem: lambda _, problem: _problem(problem)},
    )
    return api, control


def _problem(problem: Problem) -> Response[Any]:
    return Response(problem.body, status_code=problem.status)

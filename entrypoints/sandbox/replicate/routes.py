"""Replicate over HTTP: predictions by version, model or deployment; trainings; output files."""

from typing import Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.exceptions import SerializationException
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.cut import CutResponse
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failure, Failures
from entrypoints.sandbox.garbage import endless, is_oversized
from entrypoints.sandbox.part import part_options
from entrypoints.sandbox.replicate.models import (
    ImageInput,
    Input,
    InputInvalid,
    TrainingInput,
    validate,
)
from entrypoints.sandbox.replicate.moving import VERSIONS
from entrypoints.sandbox.replicate.runs import EVENTS, Order, Run, Runs

AnyRequest = Request[Any, Any, Any]
Kind = Literal["predictions", "trainings"]
PAGE_SIZE = 100
RATE_RESET_S = 30
DEFAULT_VERSION = "hidden"


def create_router(
    config: SandboxConfig, delivery: Delivery, failures: Failures, clock: SandboxClock
) -> Router:
    runs = Runs(config, delivery, failures, clock)

    async def hindrance(request: AnyRequest, path: str) -> Failure | Response[Any] | None:
        """An answer for a call that gets no further; a Failure for one that acts and then hangs."""
        failure = await failures.apply("replicate", f"{request.method} {path}")
        if failure is not None and failure.kind == "status":
            return _problem(failure.status, failure.message)
        if request.headers.get("authorization") != f"Bearer {config.replicate_api_token}":
            return _problem(401, "You did not pass a valid authentication token")
        if failure is not None and failure.kind == "refuse":
            return _problem(422, failure.message or "- input: refused in the sandbox\n")
        return failure

    async def create(
        request: AnyRequest, path: str, kind: Kind, model: str, version: str
    ) -> Response[Any]:
        stopped = await hindrance(request, path)
        if isinstance(stopped, Response):
            return stopped
        try:
            order = await _order(request, kind, model=model, version=version)
        except InputInvalid as invalid:
            return _problem(422, str(invalid), title="Input validation failed")
        started = runs.start(order)
        # Encoded at once: the run goes on while a switched-on delay holds the answer back.
        accepted = Response(
            msgspec.json.encode(started.body), status_code=201, media_type="application/json"
        )
        if stopped is None:
            return accepted
        await failures.hang(stopped)
        return CutResponse()

    async def found(request: AnyRequest, path: str, kind: Kind, run_id: str) -> Run | Response[Any]:
        stopped = await hindrance(request, path)
        if stopped is not None:
            return stopped if isinstance(stopped, Response) else CutResponse()
        return runs.find(kind, run_id) or _problem(
            404, "The requested resource could not be found."
        )

    async def show(request: AnyRequest, kind: Kind, run_id: str) -> Response[Any]:
        one = await found(request, f"/v1/{kind}/{run_id}", kind, run_id)
        return Response(one.body) if isinstance(one, Run) else one

    async def stop(request: AnyRequest, kind: Kind, run_id: str) -> Response[Any]:
        one = await found(request, f"/v1/{kind}/{run_id}/cancel", kind, run_id)
        if not isinstance(one, Run):
            return one
        runs.cancel(one)
        return Response(one.body)

    @post("/v1/predictions", status_code=201)
    async def predict_by_version(request: AnyRequest) -> Response[Any]:
        return await create(request, "/v1/predictions", "predictions", "", "")

    @post("/v1/models/{owner:str}/{name:str}/predictions", status_code=201)
    async def predict_by_model(
        request: AnyRequest, owner: FromPath[str], name: FromPath[str]
    ) -> Response[Any]:
        path = f"/v1/models/{owner}/{name}/predictions"
        return await create(request, path, "predictions", f"{owner}/{name}", DEFAULT_VERSION)

    @post("/v1/deployments/{owner:str}/{name:str}/predictions", status_code=201)
    async def predict_by_deployment(
        request: AnyRequest, owner: FromPath[str], name: FromPath[str]
    ) -> Response[Any]:
        path = f"/v1/deployments/{owner}/{name}/predictions"
        return await create(request, path, "predictions", f"{owner}/{name}", DEFAULT_VERSION)

    @post(
        "/v1/models/{owner:str}/{name:str}/versions/{version:str}/trainings",
        status_code=201,
    )
    async def create_training(
        request: AnyRequest, owner: FromPath[str], name: FromPath[str], version: FromPath[str]
    ) -> Response[Any]:
        path = f"/v1/models/{owner}/{name}/versions/{version}/trainings"
        return await create(request, path, "trainings", f"{owner}/{name}", version)

    @get("/v1/predictions")
    async def predictions(request: AnyRequest, cursor: FromQuery[str] = "") -> Response[Any]:
        return await _list(request, "predictions", cursor)

    @get("/v1/trainings")
    async def trainings(request: AnyRequest, cursor: FromQuery[str] = "") -> Response[Any]:
        return await _list(request, "trainings", cursor)

    async def _list(request: AnyRequest, kind: Kind, cursor: str) -> Response[Any]:
        stopped = await hindrance(request, f"/v1/{kind}")
        if stopped is not None:
            return stopped if isinstance(stopped, Response) else CutResponse()
        page = runs.newest(kind, limit=PAGE_SIZE, before=cursor)
        more = f"{runs.url}/v1/{kind}?cursor={page[-1].id}" if len(page) == PAGE_SIZE else None
        return Response({"previous": None, "next": more, "results": [r.listed for r in page]})

    @get("/v1/predictions/{run_id:str}")
    async def prediction(request: AnyRequest, run_id: FromPath[str]) -> Response[Any]:
        return await show(request, "predictions", run_id)

    @get("/v1/trainings/{run_id:str}")
    async def training(request: AnyRequest, run_id: FromPath[str]) -> Response[Any]:
        return await show(request, "trainings", run_id)

    @post("/v1/predictions/{run_id:str}/cancel", status_code=200)
    async def cancel_prediction(request: AnyRequest, run_id: FromPath[str]) -> Response[Any]:
        return await stop(request, "predictions", run_id)

    @post("/v1/trainings/{run_id:str}/cancel", status_code=200)
    async def cancel_training(request: AnyRequest, run_id: FromPath[str]) -> Response[Any]:
        return await stop(request, "trainings", run_id)

    @get("/v1/webhooks/default/secret")
    async def webhook_secret(request: AnyRequest) -> Response[Any]:
        stopped = await hindrance(request, "/v1/webhooks/default/secret")
        if stopped is not None:
            return stopped if isinstance(stopped, Response) else CutResponse()
        return Response({"key": config.replicate_webhook_secret})

    @get("/files/{name:str}")
    async def file(name: FromPath[str]) -> Response[Any] | Stream:
        if is_oversized(name):
            return Stream(endless(), media_type="application/octet-stream")
        content = runs.shelf.read(name)
        if content is None:
            return _problem(404, "File not found")
        return Response(content[0], media_type=content[1])

    return Router(
        "/replicate",
        route_handlers=[
            predict_by_version,
            predict_by_model,
            predict_by_deployment,
            create_training,
            predictions,
            trainings,
            prediction,
            training,
            cancel_prediction,
            cancel_training,
            webhook_secret,
            file,
        ],
        opt=part_options(reset=runs.reset, state=runs.state, billed=runs.billed),
    )


async def _order(request: AnyRequest, kind: Kind, *, model: str, version: str) -> Order:
    """Raises InputInvalid for a body that the provider would not accept."""
    try:
        body = await request.json()
    except SerializationException:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
        raise InputInvalid("- input is required\n")
    if not version:
        version = str(body.get("version") or "")
        if not version:
            raise InputInvalid("- version is required\n")
        model = version.rpartition(":")[0] or "sandbox/model"
    destination = str(body.get("destination") or "")
    if kind == "trainings" and "/" not in destination:
        raise InputInvalid("- destination is required\n")
    webhook = str(body.get("webhook") or "")
    if webhook and not webhook.startswith(("http://", "https://")):
        raise InputInvalid("- webhook: must be a valid URL\n")
    events = frozenset(body.get("webhook_events_filter") or EVENTS)
    if not events <= EVENTS:
        raise InputInvalid(f"- webhook_events_filter: must be some of {sorted(EVENTS)}\n")
    version = version.rpartition(":")[2]
    accepted: type[Input] = ImageInput if kind == "predictions" else TrainingInput
    if version in VERSIONS:
        model, accepted = VERSIONS[version]
    return Order(
        kind=kind,
        model=model,
        version=version,
        given=validate(body["input"], accepted),
        raw_input=body["input"],
        webhook=webhook,
        events=events,
        destination=destination,
    )


def _problem(status: int, detail: str, *, title: str | None = None) -> Response[Any]:
    if status == 429:
        detail = f"Request was throttled. Your rate limit resets in ~{RATE_RESET_S}s."
    body: dict[str, Any] = {"detail": detail or "switched on in the sandbox", "status": status}
    if title:
        body["title"] = title
    return Response(body, status_code=status)

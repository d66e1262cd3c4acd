"""fal over HTTP: submit, status, result, cancel; output files; the webhook key set."""

from typing import Any

from litestar import Request, Response, Router, get, post, put
from litestar.exceptions import SerializationException
from litestar.params import FromPath
from litestar.response import Stream

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.cut import CutResponse
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failure, Failures
from entrypoints.sandbox.fal.answers import AppFailed, refused_by_policy
from entrypoints.sandbox.fal.apps import APPS, validate
from entrypoints.sandbox.fal.queue import FalQueue, FalRequest
from entrypoints.sandbox.garbage import endless, is_oversized
from entrypoints.sandbox.part import part_options

AnyRequest = Request[Any, Any, Any]
PARTS = ("owner", "alias", "sub")


def create_router(config: SandboxConfig, delivery: Delivery, failures: Failures) -> Router:
    queue = FalQueue(config, delivery, failures)

    async def hindrance(request: AnyRequest, path: str) -> Failure | Response[Any] | None:
        """An answer for a call that gets no further; a Failure for one that acts and then hangs."""
        failure = await failures.apply("fal", f"{request.method} /{path}")
        if failure is not None and failure.kind == "status":
            return _error(
                failure.status,
                failure.message or "switched on in the sandbox",
                retry_after_s=failure.retry_after_s,
            )
        if request.headers.get("authorization") != f"Key {config.fal_key}":
            return _error(401, "Authentication is required to access this application.")
        if failure is not None and failure.kind == "refuse":
            return _failed(refused_by_policy())
        return failure

    async def answer(stopped: Failure | None, given: Response[Any]) -> Response[Any]:
        if stopped is None:
            return given
        await failures.hang(stopped)
        return CutResponse()

    @post(
        ["/{owner:str}/{alias:str}", "/{owner:str}/{alias:str}/{sub:str}"],
        status_code=200,
    )
    async def submit(request: AnyRequest) -> Response[Any]:
        app = "/".join(request.path_params[part] for part in PARTS if part in request.path_params)
        stopped = await hindrance(request, app)
        if isinstance(stopped, Response):
            return stopped
        if app not in APPS:
            return _error(404, f"Application '{app}' not found")
        try:
            body = await request.json()
        except SerializationException:
            body = None
        if not isinstance(body, dict):
            return _error(422, [{"loc": ["body"], "msg": "Input should be a JSON object"}])
        try:
            arguments = validate(app, body)
        except AppFailed as failure:
            return _failed(failure)
        accepted = queue.submit(app, arguments, request.query_params.get("fal_webhook", ""))
        links = _links(queue, accepted)
        return await answer(stopped, Response({**links, "status": "IN_QUEUE", "queue_position": 0}))

    @get("/{owner:str}/{alias:str}/requests/{request_id:str}/status")
    async def status(
        request: AnyRequest, owner: FromPath[str], alias: FromPath[str], request_id: FromPath[str]
    ) -> Response[Any]:
        path = f"{owner}/{alias}/requests/{request_id}"
        stopped = await hindrance(request, f"{path}/status")
        if isinstance(stopped, Response):
            return stopped
        found = queue.find(path)
        if found is None:
            return _error(404, "Request not found")
        with_logs = request.query_params.get("logs", "").casefold() in ("1", "true")
        return await answer(stopped, _status(queue, found, with_logs=with_logs))

    @get("/{owner:str}/{alias:str}/requests/{request_id:str}")
    async def result(
        request: AnyRequest, owner: FromPath[str], alias: FromPath[str], request_id: FromPath[str]
    ) -> Response[Any]:
        path = f"{owner}/{alias}/requests/{request_id}"
        stopped = await hindrance(request, path)
        if isinstance(stopped, Response):
            return stopped
        found = queue.find(path)
        if found is None:
            return _error(404, "Request not found")
        if found.result is None:
            return _error(400, "Request is still in progress")
        code, body = found.result
        headers = {"x-fal-request-id": found.id, "x-fal-billable-units": f"{found.units:g}"}
        return await answer(stopped, Response(body, status_code=code, headers=headers))

    @put("/{owner:str}/{alias:str}/requests/{request_id:str}/cancel")
    async def cancel(
        request: AnyRequest, owner: FromPath[str], alias: FromPath[str], request_id: FromPath[str]
    ) -> Response[Any]:
        path = f"{owner}/{alias}/requests/{request_id}"
        stopped = await hindrance(request, f"{path}/cancel")
        if isinstance(stopped, Response):
            return stopped
        found = queue.find(path)
        if found is None:
            return Response({"status": "NOT_FOUND"}, status_code=404)
        if not queue.cancel(found):
            return Response({"status": "ALREADY_COMPLETED"}, status_code=400)
        accepted = Response({"status": "CANCELLATION_REQUESTED"}, status_code=202)
        return await answer(stopped, accepted)

    @get("/files/{name:str}")
    async def file(name: FromPath[str]) -> Response[Any] | Stream:
        if is_oversized(name):
            return Stream(endless(), media_type="application/octet-stream")
        found = queue.shelf.read(name)
        if found is None:
            return _error(404, "File not found")
        return Response(found[0], media_type=found[1])

    @get("/.well-known/jwks.json")
    async def key_set() -> dict[str, Any]:
        return queue.signer.key_set()

    return Router(
        "/fal",
        route_handlers=[submit, status, result, cancel, file, key_set],
        opt=part_options(reset=queue.reset, state=queue.state, billed=queue.billed),
    )


def _links(queue: FalQueue, request: FalRequest) -> dict[str, str]:
    url = f"{queue.url}/{request.path}"
    return {
        "request_id": request.id,
        "gateway_request_id": request.id,
        "response_url": url,
        "status_url": f"{url}/status",
        "cancel_url": f"{url}/cancel",
    }


def _status(queue: FalQueue, request: FalRequest, *, with_logs: bool) -> Response[Any]:
    body: dict[str, Any] = {"status": request.status, **_links(queue, request)}
    if request.status == "IN_QUEUE":
        return Response({**body, "queue_position": queue.position(request)}, status_code=202)
    body["logs"] = request.logs if with_logs else None
    if request.status == "IN_PROGRESS":
        return Response(body, status_code=202)
    body["metrics"] = {"inference_time": round(request.inference_s, 3)}
    if request.failure is not None:
        body["error"] = str(request.failure)
        if request.failure.error_type:
            body["error_type"] = request.failure.error_type
    return Response(body)


def _error(status: int, detail: object, *, retry_after_s: int = 1) -> Response[Any]:
    headers = {"retry-after": str(retry_after_s)} if status == 429 else None
    return Response({"detail": detail}, status_code=status, headers=headers)


def _failed(failure: AppFailed) -> Response[Any]:
    return Response(failure.body, status_code=failure.status)

"""Requests on their way through the queue: in queue, in progress, completed (also when failed).

A request that was cancelled is completed with an error and calls nobody back, so that a client
which relies on webhooks alone is found out.
"""

import asyncio
import time
from typing import Any, Literal
from uuid import uuid4

import msgspec

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failure, Failures
from entrypoints.sandbox.fal.answers import AppFailed, crashed, refused_by_policy
from entrypoints.sandbox.fal.apps import Arguments, is_training, run, units_of
from entrypoints.sandbox.fal.moving import MOVING
from entrypoints.sandbox.fal.signing import Signer
from entrypoints.sandbox.garbage import spoil
from entrypoints.sandbox.media import Shelf
from entrypoints.sandbox.part import Billed, attempt_in

TRAINING_TICKS = 10
MOVING_TICKS = 4
NOBODY = "0"
QUEUED_SHARE = 0.2


class FalRequest:
    """One submitted request. `result` is (HTTP status, body) once it is completed."""

    def __init__(self, app: str, arguments: Arguments, webhook_url: str) -> None:
        self.id = str(uuid4())
        self.app = app
        self.arguments = arguments
        self.webhook_url = webhook_url
        self.status: Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"] = "IN_QUEUE"
        self.logs: list[dict[str, str]] = []
        self.result: tuple[int, dict[str, Any]] | None = None
        self.failure: AppFailed | None = None
        self.submitted_at = time.monotonic()
        self.started_at = 0.0
        self.taken_s = 0.0
        self.inference_s = 0.0
        self.mishap: Failure | None = None

    @property
    def units(self) -> float:
        """What it costs: nothing before it is done, or when the machine was to blame."""
        done = self.status == "COMPLETED" and self.failure is None
        return units_of(self.arguments) if done else 0.0

    @property
    def path(self) -> str:
        """The queue knows a request by owner and alias; what follows in an app's id is dropped."""
        owner, alias = self.app.split("/")[:2]
        return f"{owner}/{alias}/requests/{self.id}"

    def log(self, message: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.logs.append({"message": message, "level": "INFO", "timestamp": stamp})


class FalQueue:
    def __init__(self, config: SandboxConfig, delivery: Delivery, failures: Failures) -> None:
        self._config = config
        self._delivery = delivery
        self._failures = failures
        self.url = f"{config.base_url}/fal"
        self.shelf = Shelf(self.url)
        self.signer = Signer(config.fal_user_id)
        self._requests: dict[str, FalRequest] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.accepted = 0

    def submit(self, app: str, arguments: Arguments, webhook_url: str) -> FalRequest:
        request = FalRequest(app, arguments, webhook_url)
        self._requests[request.id] = request
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._process(request))
        self._tasks[request.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(request.id, None))
        return request

    def find(self, path: str) -> FalRequest | None:
        request = self._requests.get(path.rpartition("/")[2])
        return request if request is not None and request.path == path else None

    def position(self, request: FalRequest) -> int:
        waiting = [r.id for r in self._requests.values() if r.status == "IN_QUEUE"]
        return waiting.index(request.id)

    def cancel(self, request: FalRequest) -> bool:
        """False when it is too late."""
        if request.status == "COMPLETED":
            return False
        if task := self._tasks.get(request.id):
            task.cancel()
        self._complete(request, AppFailed(499, "Request was cancelled", "client_cancelled"))
        return True

    def reset(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        self._requests.clear()
        self.shelf.clear()
        self.accepted = 0

    def state(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "requests": [
                {
                    "request_id": r.id,
                    "app": r.app,
                    "status": r.status,
                    "taken_s": r.taken_s,
                    "webhook": r.webhook_url,
                }
                for r in self._requests.values()
            ],
        }

    def billed(self) -> list[Billed]:
        return [
            Billed(
                provider="fal",
                request_id=r.id,
                model=r.app,
                status="ERROR" if r.failure else r.status,
                units=r.units,
                attempt=attempt_in(r.webhook_url),
            )
            for r in self._requests.values()
        ]

    async def _process(self, request: FalRequest) -> None:
        training = is_training(request.app)
        duration_s = self._config.training_delay_s if training else self._config.drawing_delay_s
        await asyncio.sleep(duration_s * QUEUED_SHARE)
        request.status = "IN_PROGRESS"
        request.started_at = time.monotonic()
        await self._spend(request, duration_s * (1 - QUEUED_SHARE), training=training)
        outcome: AppFailed | dict[str, Any]
        try:
            await self._mishap(request)
            outcome = self._marred(request, await run(request.app, request.arguments, self.shelf))
        except AppFailed as failure:
            outcome = failure
        self._complete(request, outcome)
        if request.mishap is None or request.mishap.kind != "silence":
            self._call_back(request)

    async def _spend(self, request: FalRequest, duration_s: float, *, training: bool) -> None:
        """Whatever takes long says in its log how far it is."""
        ticks = TRAINING_TICKS if training else MOVING_TICKS if request.app in MOVING else 1
        word = "Training" if training else "Progress"
        for tick in range(1, ticks + 1):
            await asyncio.sleep(duration_s / ticks)
            if ticks > 1:
                share = tick * 100 // ticks
                request.log(f"{word}: {share:3d}%|{'#' * tick:<{ticks}}| {tick}/{ticks}")

    async def _mishap(self, request: FalRequest) -> None:
        """A fault that is switched on for `RUN {app}` strikes the work, not the call."""
        failure = await self._failures.apply("fal", f"RUN /{request.app}")
        if failure is None:
            return
        if failure.kind == "refuse":
            raise refused_by_policy()
        if failure.kind in ("status", "timeout_after_acceptance"):
            raise crashed(failure.message)
        request.mishap = failure

    def _marred(self, request: FalRequest, result: dict[str, Any]) -> dict[str, Any]:
        """The result as a fault of the other kinds leaves it."""
        match request.mishap:
            case Failure(kind="flag"):
                return result | {"has_nsfw_concepts": [True] * len(result.get("images", NOBODY))}
            case Failure(kind="garbage", message=message):
                spoiled: dict[str, Any] = spoil(result, message, self.shelf)
                return spoiled
            case _:
                return result

    def _complete(self, request: FalRequest, outcome: AppFailed | dict[str, Any]) -> None:
        request.status = "COMPLETED"
        request.taken_s = time.monotonic() - request.submitted_at
        if request.started_at:
            request.inference_s = time.monotonic() - request.started_at
        if isinstance(outcome, AppFailed):
            request.failure = outcome
            request.result = (outcome.status, outcome.body)
        else:
            request.result = (200, outcome)

    def _call_back(self, request: FalRequest) -> None:
        assert request.result is not None  # noqa: S101 - completed just before
        notice = {
            "request_id": request.id,
            "gateway_request_id": request.id,
            "status": "OK" if request.failure is None else "ERROR",
            "error": None if request.failure is None else str(request.failure),
            "payload": request.result[1],
        }
        body = msgspec.json.encode(notice)
        self._delivery.send(
            request.webhook_url,
            body,
            lambda timestamp: self.signer.headers(request.id, body, timestamp),
            channel="fal",
            label=f"{request.app} {notice['status']}",
        )

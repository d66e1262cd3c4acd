"""Predictions and trainings from creation to their end, and the webhooks on the way."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failure, Failures
from entrypoints.sandbox.garbage import spoil
from entrypoints.sandbox.media import ABORT, Shelf
from entrypoints.sandbox.part import Billed, attempt_in
from entrypoints.sandbox.replicate.models import Input, ModelFailed, run
from entrypoints.sandbox.standard_webhooks import sign

EVENTS = frozenset({"start", "output", "logs", "completed"})
ENDED = frozenset({"succeeded", "failed", "canceled", "aborted"})
TICKS = 4


class Order(msgspec.Struct, kw_only=True):
    """What a caller asked for: the checked input, and the body as it came."""

    kind: Literal["predictions", "trainings"]
    model: str
    version: str
    given: Input
    raw_input: dict[str, Any]
    webhook: str = ""
    events: frozenset[str] = EVENTS
    destination: str = ""


class Run:
    """One prediction or training; `body` is what the API shows and the webhooks carry."""

    def __init__(self, order: Order, url: str, created_at: str) -> None:
        self.id = secrets.token_hex(13)
        self.order = order
        self.webhooks = 0
        self.mishap: Failure | None = None
        resource = f"{url}/v1/{order.kind}/{self.id}"
        self.body: dict[str, Any] = {
            "id": self.id,
            "model": order.model,
            "version": order.version,
            "input": order.raw_input,
            "logs": "",
            "output": None,
            "data_removed": False,
            "error": None,
            "source": "api",
            "status": "starting",
            "created_at": created_at,
            "started_at": None,
            "completed_at": None,
            "metrics": {},
            "urls": {"get": resource, "cancel": f"{resource}/cancel"},
        }
        if order.webhook:
            self.body |= {"webhook": order.webhook, "webhook_events_filter": sorted(order.events)}
        if order.destination:
            self.body["destination"] = order.destination

    @property
    def listed(self) -> dict[str, Any]:
        """As the list shows it, which names no webhooks."""
        hidden = ("webhook", "webhook_events_filter", "logs")
        return {name: value for name, value in self.body.items() if name not in hidden}

    @property
    def ended(self) -> bool:
        return self.body["status"] in ENDED


class Runs:
    def __init__(
        self,
        config: SandboxConfig,
        delivery: Delivery,
        failures: Failures,
        clock: SandboxClock,
    ) -> None:
        self._clock = clock
        self._config = config
        self._delivery = delivery
        self._failures = failures
        self.url = f"{config.base_url}/replicate"
        self.shelf = Shelf(self.url)
        self._runs: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.accepted = 0

    def start(self, order: Order) -> Run:
        started = Run(order, self.url, self._now())
        self._runs[started.id] = started
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._process(started))
        self._tasks[started.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(started.id, None))
        return started

    def find(self, kind: str, run_id: str) -> Run | None:
        found = self._runs.get(run_id)
        return found if found is not None and found.order.kind == kind else None

    def newest(self, kind: str, *, limit: int, before: str) -> list[Run]:
        """Newest first; `before` is the id after which the page begins, or empty."""
        runs = [r for r in reversed(self._runs.values()) if r.order.kind == kind]
        ids = [r.id for r in runs]
        start = ids.index(before) + 1 if before in ids else 0
        return runs[start : start + limit]

    def cancel(self, found: Run) -> None:
        if found.ended:
            return
        if task := self._tasks.get(found.id):
            task.cancel()
        started = found.body["started_at"] is not None
        self._end(found, "canceled" if started else "aborted")

    def reset(self) -> None:
        for task in list(self._tasks.values()):
            task.cancel()
        self._runs.clear()
        self.shelf.clear()
        self.accepted = 0

    def state(self) -> dict[str, Any]:
        keys = ("id", "model", "status", "error")
        return {
            "accepted": self.accepted,
            "runs": [{key: r.body[key] for key in keys} for r in self._runs.values()],
        }

    def billed(self) -> list[Billed]:
        """Machine time is charged for whatever ran to its end."""
        return [
            Billed(
                provider="replicate",
                request_id=r.id,
                model=r.order.model,
                status=r.body["status"],
                units=1.0 if r.body["status"] == "succeeded" else 0.0,
                attempt=attempt_in(r.order.webhook),
            )
            for r in self._runs.values()
        ]

    def _now(self) -> str:
        skipped = timedelta(seconds=self._clock.ahead_s)
        now = datetime.now(UTC) + skipped
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def _process(self, current: Run) -> None:
        training = current.order.kind == "trainings"
        duration_s = self._config.training_delay_s if training else self._config.drawing_delay_s
        await asyncio.sleep(duration_s / (TICKS + 1))
        if ABORT in str(current.order.raw_input.get("prompt", "")):
            self._end(current, "aborted")
            return
        current.body |= {"status": "processing", "started_at": self._now()}
        self._notify(current, "start")
        for tick in range(1, TICKS + 1):
            await asyncio.sleep(duration_s / (TICKS + 1))
            bar = "█" * tick + " " * (TICKS - tick)
            current.body["logs"] += f"{tick * 100 // TICKS}%|{bar}| {tick}/{TICKS}\n"
            self._notify(current, "logs")
        try:
            await self._mishap(current)
            output, last_words = await run(current.order.given, self.shelf)
        except ModelFailed as failure:
            current.body["error"] = str(failure)
            self._end(current, "failed")
            return
        current.body["logs"] += last_words
        mishap = current.mishap
        if mishap is not None and mishap.kind == "garbage":
            output = spoil(output, mishap.message, self.shelf)
        current.body["output"] = output
        self._notify(current, "output")
        self._end(current, "succeeded")

    async def _mishap(self, current: Run) -> None:
        """A fault switched on for `RUN /{kind}/{model}` strikes the work, not the call."""
        operation = f"RUN /{current.order.kind}/{current.order.model}"
        failure = await self._failures.apply("replicate", operation)
        if failure is None:
            return
        if failure.kind == "refuse":
            raise ModelFailed("The input or output was flagged as sensitive. (E005)")
        if failure.kind == "flag":
            raise ModelFailed("NSFW content detected. Try running it again.")
        if failure.kind in ("status", "timeout_after_acceptance"):
            raise ModelFailed("Prediction interrupted; please retry (code: PA)")
        current.mishap = failure

    def _end(self, current: Run, status: str) -> None:
        current.body |= {"status": status, "completed_at": self._now()}
        if current.body["started_at"]:
            taken = _moment(current.body["completed_at"]) - _moment(current.body["started_at"])
            current.body["metrics"] = {"predict_time": taken.total_seconds()}
        self._notify(current, "completed")

    def _notify(self, current: Run, event: str) -> None:
        if not current.order.webhook or event not in current.order.events:
            return
        if current.mishap is not None and current.mishap.kind == "silence":
            return
        current.webhooks += 1
        message_id = f"msg_{current.id}{current.webhooks:02d}"
        body = msgspec.json.encode(current.body)
        secret = self._config.replicate_webhook_secret
        self._delivery.send(
            current.order.webhook,
            body,
            lambda timestamp: sign(secret, message_id, timestamp, body),
            channel="replicate",
            label=f"{current.order.kind} {event} {current.body['status']}",
        )


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)

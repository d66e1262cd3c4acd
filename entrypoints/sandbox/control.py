"""The strings behind the stage: faults, unreliable webhooks, time, and a look at what happened."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, post
from litestar.params import JSONBody

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.delivery import Delivery, Switches
from entrypoints.sandbox.failures import Failure, Failures
from entrypoints.sandbox.part import Billed, bill_of_part, describe_part, reset_part


class WebhookSwitches(Switches, kw_only=True):
    """`channel`: stripe, fal, replicate, flowpay or all."""

    channel: str = "all"


class Advance(msgspec.Struct):
    advance_seconds: Annotated[int, msgspec.Meta(ge=0)]


def create_control(
    parts: Mapping[str, Router],
    *,
    delivery: Delivery,
    failures: Failures,
    clock: SandboxClock,
    time_passed: Callable[[], None],
) -> Router:
    @get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @post("/webhooks", status_code=200)
    async def webhooks(data: JSONBody[WebhookSwitches]) -> WebhookSwitches:
        fields = msgspec.structs.asdict(data)
        channel = fields.pop("channel")
        delivery.switch(Switches(**fields), channel=channel)
        return data

    @get("/failures")
    async def armed() -> list[Failure]:
        return failures.armed()

    @post("/failures")
    async def arm(data: JSONBody[Failure]) -> Failure:
        failures.arm(data)
        return data

    @delete("/failures")
    async def clear() -> None:
        failures.clear()

    @post("/reset", status_code=200)
    async def reset() -> dict[str, str]:
        await delivery.reset()
        failures.clear()
        clock.reset()
        for part in parts.values():
            reset_part(part)
        return {"status": "ok"}

    @get("/state")
    async def state() -> dict[str, Any]:
        return {
            "now": clock.now(),
            **{name: describe_part(part) for name, part in parts.items()},
            "deliveries": {
                "counts": dict(delivery.counts),
                "recent": [notice.summary() for notice in delivery.recent],
            },
            "failures": failures.armed(),
        }

    @get("/billed")
    async def billed() -> list[Billed]:
        return [one for part in parts.values() for one in bill_of_part(part)]

    @post("/drain", status_code=200)
    async def drain() -> dict[str, Any]:
        return {"drained": await delivery.drain(), "counts": dict(delivery.counts)}

    @post("/clock", status_code=200)
    async def advance(data: JSONBody[Advance]) -> dict[str, int]:
        clock.advance(data.advance_seconds)
        time_passed()
        return {"now": clock.now()}

    handlers = [health, webhooks, armed, arm, clear, reset, state, billed, drain, advance]
    return Router("/control", route_handlers=handlers)

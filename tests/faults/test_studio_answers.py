"""What may become of a provider's word: lost, late, doubled, out of order, or a refusal.

One life over real servers, and a scenario after the other: an image of Replicate, a mesh of fal on
top of one, and speech, which comes in the answer itself. In the end three books agree.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.studio_life import Life, Place, open_place
from tests.faults.studio_world import Studio

KINDS = ("image", "model_3d", "speech")
DONE = ("succeeded", None)
UNKNOWN = ("failed", "outcome_unknown")
REFUSED = ("failed", "content_refused")
CALLS = {"fal": "POST /fal-ai/*", "replicate": "POST */predictions", "openai": "POST /v1/audio/*"}
WORK = {"fal": "RUN *", "replicate": "RUN *"}
TIMES = {"fal": 1, "replicate": 2, "openai": 1}
"""Two of the three begin with an image."""


@dataclass
class Scenario:
    """`faults` are armed once for each provider's calls or work; then how image, mesh and speech
    end. `time`: how much of it passes when nothing moves."""

    name: str
    ends: tuple[Any, Any, Any] = (DONE, DONE, DONE)
    calls: dict[str, Any] = field(default_factory=dict)
    work: dict[str, Any] = field(default_factory=dict)
    webhooks: dict[str, Any] = field(default_factory=dict)
    time: timedelta = timedelta(minutes=2)


LOST = {"kind": "timeout_after_acceptance", "latency_ms": 10}
SCENARIOS = (
    Scenario("answers come after the webhooks", calls={"kind": "latency", "latency_ms": 700}),
    Scenario("answers are lost, webhooks come", (DONE, DONE, UNKNOWN), calls=LOST),
    Scenario(
        "answers and webhooks are lost: what has a list is found, nothing is paid twice",
        (DONE, UNKNOWN, UNKNOWN),
        calls=LOST,
        webhooks={"drop_rate": 1.0},
        time=timedelta(minutes=4),
    ),
    Scenario("no webhook comes", webhooks={"drop_rate": 1.0}),
    Scenario("webhooks come three times, out of order", webhooks={"copies": 3, "shuffle": True}),
    Scenario("webhooks come after the poll", webhooks={"delay_ms": 2500}),
    Scenario("too many requests", calls={"kind": "status", "status": 429, "retry_after_s": 20}),
    Scenario("the provider breaks", calls={"kind": "status", "status": 503}),
    Scenario("its machine breaks", work={"kind": "status"}),
    Scenario("the work is refused", (REFUSED, REFUSED, DONE), work={"kind": "refuse"}),
    Scenario(
        "the call is refused",
        (("failed", "refused"), ("failed", "refused"), REFUSED),
        calls={"kind": "refuse"},
    ),
)


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, redis_url: str
) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("answers"), database_url, redis_url) as place:
        yield place


@pytest.fixture
async def life(
    place: Place, clean_database: str, clean_redis: str, tmp_path: Path
) -> AsyncIterator[Life]:
    async with Life.begun(place, tmp_path) as life:
        yield life


@pytest.mark.timeout(600)
async def test_each_step_is_paid_once_whatever_becomes_of_the_answers(life: Life) -> None:
    studio = await Studio.opened(life.ports)
    fan = await studio.fan()
    life.start_worker()
    await life.until_ended([await studio.ask("training", fan=fan)])
    for scenario in SCENARIOS:
        arm(life, scenario)
        asked = [await studio.ask(kind, fan=fan) for kind in KINDS]
        await life.until_ended(asked, nudge=scenario.time)
        calm(life)
        ends = await life.ends(asked)
        assert tuple(ends) == scenario.ends, (scenario.name, ends, life.story())
        life.let_pass(timedelta(minutes=3))  # engines that were left alone are tried again
    truth = await life.truth()
    assert truth.faults == []
    assert truth.counts["jobs"] == 1 + len(KINDS) * len(SCENARIOS)


def arm(life: Life, scenario: Scenario) -> None:
    for fault, operations in ((scenario.calls, CALLS), (scenario.work, WORK)):
        for provider, operation in operations.items() if fault else ():
            life.place.sandbox.control(
                "failures",
                provider=provider,
                operation=operation,
                times=TIMES[provider],
                **fault,
            )
    if scenario.webhooks:
        life.place.sandbox.control("webhooks", **scenario.webhooks)


def calm(life: Life) -> None:
    sandbox = life.place.sandbox
    sandbox.http.delete(f"{sandbox.url}/control/failures")
    sandbox.control("webhooks")

"""A storm over the studio: jobs of all kinds are done while everything around them fails.

The weather is that of the orders: every process of ours is killed with SIGKILL, PostgreSQL crashes,
Redis is emptied and killed, webhooks are doubled, shuffled and dropped. What it does to the
providers is theirs: answers are lost after they have acted, or late; calls are throttled and fail;
machines break, refuse, or call nobody back; their lists cannot be read.
"""

import asyncio
import dataclasses
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec

from entrypoints.bootstrap import build_ports
from entrypoints.cli.demo.client import Person
from entrypoints.local.stack import connected
from tests.faults.studio_truth import HELD, Truth, truth_of
from tests.faults.studio_world import LONGER_THAN_ANY_SWEEP, Studio, stored_keys, sweep
from tests.faults.weather import PATIENCE_S, Misfortune, insisting, keyed
from tests.journeys.stack import Stack

FANS = 8
LONGEST_CALL_S = 8.0
"""Of ours to a provider, or of a provider's to us, with all its repetitions."""
SHARES = {"image": 8, "speech": 4, "model_3d": 3, "video": 2, "talking_avatar": 2, "training": 1}
"""How often each kind is asked for."""
_CALLS = (
    ("fal", "POST /fal-ai/*"),
    ("replicate", "POST */predictions"),
    ("openai", "POST /v1/audio/speech"),
)
_WORK = (("fal", "RUN *"), ("replicate", "RUN *"))
MISFORTUNES = (
    *(Misfortune("answers to be lost", *call, "timeout_after_acceptance") for call in _CALLS * 2),
    *(Misfortune("answers to be late", *call, "latency", latency_ms=1500) for call in _CALLS),
    *(Misfortune("calls to be throttled", *call, "status", status=429) for call in _CALLS),
    *(Misfortune("calls to fail", *call, "status", status=503) for call in _CALLS),
    *(Misfortune("machines to break", *work, "status") for work in _WORK),
    *(Misfortune("work to call nobody back", *work, "silence") for work in _WORK),
    Misfortune("work to be refused", "fal", "RUN *", "refuse"),
    Misfortune("lists to be unreadable", "replicate", "GET /v1/predictions", "status", status=500),
)


@dataclass
class Work:
    """Jobs from the wish to their end, and the comparison of the books."""

    stack: Stack
    count: int
    seed: int
    say: Callable[[str], None]
    faults: list[str] = field(default_factory=list)
    asked: list[UUID] = field(default_factory=list)
    _calling: dict[UUID, float] = field(default_factory=dict)
    _moved_at: float = field(default_factory=time.monotonic)
    _ids: dict[str, UUID] = field(default_factory=dict)

    def open(self) -> None:
        """Before the storm: a creator with a model, and fans who can pay."""
        self._http = httpx.Client(
            base_url=self.stack.settings.base_url, timeout=30, trust_env=False
        )
        self._fans = [Person(self._http, f"Fan {number}", "fan") for number in range(FANS)]
        self._studio, trained = asyncio.run(self._opened())
        self._until_ended([trained])

    def live(self) -> None:
        chance = random.Random(self.seed)
        kinds = chance.choices(list(SHARES), weights=list(SHARES.values()), k=self.count)
        self.say(f"{self.count} jobs are asked for by {FANS} fans")
        with ThreadPoolExecutor(4) as everybody:
            wishes = [(kind, self._fans[number % FANS]) for number, kind in enumerate(kinds)]
            self.asked += everybody.map(self._ask, wishes)
        self.say("they are done, and asked for again where an answer was lost")
        self._until_ended(self.asked)

    def settle_down(self) -> None:
        """What was lost with a process is taken up again, and nothing waits any more."""
        everything = [row[0] for row in insisting(lambda: self.stack.rows("SELECT id FROM jobs"))]
        self._until_ended(everything)
        self.stack.sandbox.drain()
        deadline = time.monotonic() + PATIENCE_S
        while insisting(lambda: self.stack.rows(_LEFT)) and time.monotonic() < deadline:
            self._wait()

    def compare(self) -> dict[str, int]:
        held = self.stack.rows(HELD)
        if held:
            self.faults.append(f"credits that only a sweep gives back: {held[:3]}")
        billed = self.stack.sandbox.http.get(f"{self.stack.sandbox.url}/control/billed").json()
        truth = asyncio.run(self._compared(billed))
        self.faults += truth.faults
        self._http.close()
        return dict(truth.counts)

    def _ask(self, wish: tuple[str, Person]) -> UUID:
        kind, fan = wish
        if kind == "training":
            trained: UUID = insisting(lambda: asyncio.run(self._trained()))
            return trained
        wished = self._studio.wish(kind, self._ids[fan.name])
        body = {"creator_id": str(self._studio.creator_id), **wished}
        key, given = str(uuid4()), msgspec.to_builtins(body)
        accepted = insisting(lambda: keyed(fan, "/generations", given, key=key))
        return UUID(accepted["id"])

    def _until_ended(self, job_ids: Sequence[UUID]) -> None:
        open_ = "SELECT id, kind, status FROM jobs WHERE finished_at IS NULL AND id = ANY($1)"
        deadline = time.monotonic() + PATIENCE_S
        while waiting := insisting(lambda: self.stack.rows(open_, list(job_ids))):
            if time.monotonic() > deadline:
                self.faults.append(f"{len(waiting)} jobs have not ended, such as {waiting[:3]}")
                return
            self._wait()

    def _wait(self) -> None:
        """What was lost is sent again, and time passes faster: retries, polls, looking for what
        was lost. But not while somebody may be calling a provider, which takes seconds at most."""
        time.sleep(1)
        insisting(self.stack.end_leases)
        now = time.monotonic()
        calling = {row[0] for row in insisting(lambda: self.stack.rows(_CALLING))}
        self._calling = {one: self._calling.get(one, now) for one in calling}
        if all(now - since > LONGEST_CALL_S for since in self._calling.values()):
            if insisting(lambda: self.stack.rows(_MOVING)) != [(0,)]:
                self._moved_at = now
            minutes = 10 if now - self._moved_at > LONGEST_CALL_S else 1
            insisting(lambda: self.stack.let_pass(minutes=minutes))

    async def _opened(self) -> tuple[Studio, UUID]:
        with connected(self.stack.settings) as settings:
            ports = build_ports(settings)
            try:
                studio = await Studio.opened(ports)
                for fan in self._fans:
                    self._ids[fan.name] = UUID(fan.get("/auth/me")["user"]["id"])
                    await studio.welcome(self._ids[fan.name])
                return studio, await studio.ask("training", fan=studio.owner)
            finally:
                await ports.aclose()

    async def _trained(self) -> UUID:
        """As the creator's page would do it, whose session is not what is tried here."""
        with connected(self.stack.settings) as settings:
            ports = build_ports(settings)
            try:
                studio = dataclasses.replace(self._studio, ports=ports)
                return await studio.ask("training", fan=studio.owner)
            finally:
                await ports.aclose()

    async def _compared(self, billed: Any) -> Truth:
        with connected(self.stack.settings) as settings:
            ports = build_ports(settings)
            try:
                stored = await stored_keys(ports.storage)
                seconds = int(LONGER_THAN_ANY_SWEEP.total_seconds())
                for _ in range(2):  # a worker that was overtaken may write while the first goes by
                    await asyncio.to_thread(self.stack.let_pass, seconds=seconds)
                    await sweep(ports, settings)
                    await asyncio.to_thread(self.settle_down)
                swept = await stored_keys(ports.storage)
            finally:
                await ports.aclose()
            return await truth_of(settings.database_url, billed=billed, stored=stored, swept=swept)


_CALLING = "SELECT id FROM attempts WHERE status = 'submitting'"
_MOVING = """
    SELECT (SELECT count(*) FROM attempts WHERE status IN ('planned', 'submitting', 'active'))
        + (SELECT count(*) FROM outbox_messages WHERE state <> 'done')
        + (SELECT count(*) FROM inbox_messages WHERE state <> 'done')
        + (SELECT count(*) FROM steps WHERE status IN ('ready', 'ingesting'))
"""
"""Where nothing does, there are only callbacks that are waited for, longer than anybody likes."""
_LEFT = """
    SELECT topic FROM outbox_messages WHERE state <> 'done'
    UNION ALL SELECT topic FROM inbox_messages WHERE state <> 'done'
    UNION ALL SELECT provider FROM attempts
    WHERE status IN ('planned', 'submitting', 'unknown', 'active')
"""

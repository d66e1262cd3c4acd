"""Webhooks leave here: in the background, retried, and as unreliable as the caller asks.

Real providers deliver at least once, in any order, sometimes never. The switches of a channel
(`stripe`, `fal`, `replicate`, `flowpay`, or `all`) bring each of these about, repeatably from a
seed.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

import httpx
import msgspec

RETRY_DELAYS_S = (0.2, 0.5, 1.0, 2.0)
REORDER_WINDOW = 8
REORDER_WAIT_S = 0.05
IN_FLIGHT = 8
TIMEOUT_S = 10.0
REMEMBERED = 5000

Sign = Callable[[int], dict[str, str]]
Outcome = Literal["queued", "delivered", "failed", "dropped"]


class Switches(msgspec.Struct, kw_only=True):
    """How badly a channel behaves. `drop_every=3` loses every third notice; a loss is final."""

    copies: int = 1
    shuffle: bool = False
    drop_rate: float = 0.0
    drop_every: int = 0
    delay_ms: int = 0
    seed: int = 0


@dataclass(slots=True, eq=False)
class Notice:
    """One webhook on its way, or what became of it. `last_status` 0: no answer was received."""

    channel: str
    url: str
    label: str
    body: bytes
    sign: Sign
    outcome: Outcome = "queued"
    attempts: int = 0
    last_status: int = 0

    def summary(self) -> dict[str, object]:
        return {
            "channel": self.channel,
            "url": self.url,
            "label": self.label,
            "outcome": self.outcome,
            "attempts": self.attempts,
            "last_status": self.last_status,
        }


@dataclass(slots=True)
class _Channel:
    switches: Switches
    chance: random.Random
    sent: int = 0
    window: list[Notice] = field(default_factory=list)


class Delivery:
    """Sends signed webhooks; every instance belongs to one event loop."""

    def __init__(self, *, retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S) -> None:
        self._retry_delays_s = retry_delays_s
        self._channels: dict[str, _Channel] = {}
        self._default = Switches()
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._client: httpx.AsyncClient | None = None
        self.counts: Counter[str] = Counter()
        self.recent: deque[Notice] = deque(maxlen=REMEMBERED)

    def switch(self, switches: Switches, *, channel: str = "all") -> None:
        """Set the switches of one channel, or of all of them; the seed starts anew."""
        if channel == "all":
            self._default = switches
            for known in self._channels.values():
                self._reseed(known, switches)
        else:
            self._reseed(self._channel(channel), switches)

    def send(
        self, url: str, body: bytes, sign: Sign, *, channel: str, label: str = ""
    ) -> Notice | None:
        """Queue one webhook. `sign` gets the unix time of each attempt and returns the headers.

        Answers the notice, whose `outcome` changes as it travels; None where no URL is registered.
        """
        if not url:
            return None
        notice = Notice(channel=channel, url=url, label=label, body=body, sign=sign)
        self.recent.append(notice)
        self.counts["queued"] += 1
        state = self._channel(channel)
        state.sent += 1
        if self._lost(state):
            self._settle(notice, "dropped")
        elif state.switches.shuffle:
            self._hold_back(state, notice)
        else:
            self._launch(state, notice)
        return notice

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run something after a while; `drain` waits for it, as for the webhooks it causes."""

        async def wait() -> None:
            await asyncio.sleep(delay_s)
            action()

        self._spawn(wait())

    async def drain(self, *, timeout_s: float = 60.0) -> bool:
        """Wait until nothing is under way; False if that took too long."""
        deadline = time.monotonic() + timeout_s
        while self._tasks:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            await asyncio.wait(set(self._tasks), timeout=remaining_s)
        return True

    async def reset(self) -> None:
        """Forget everything: what is under way is cancelled, the switches return to normal."""
        for task in tuple(self._tasks):
            task.cancel()
        for task in tuple(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._channels.clear()
        self._default = Switches()
        self.counts.clear()
        self.recent.clear()

    async def close(self) -> None:
        await self.reset()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _channel(self, name: str) -> _Channel:
        if name not in self._channels:
            switches = self._default
            self._channels[name] = _Channel(switches, random.Random(switches.seed))  # noqa: S311 - repeatable
        return self._channels[name]

    @staticmethod
    def _reseed(channel: _Channel, switches: Switches) -> None:
        channel.switches = switches
        channel.chance = random.Random(switches.seed)  # noqa: S311 - repeatable
        channel.sent = 0

    @staticmethod
    def _lost(channel: _Channel) -> bool:
        switches = channel.switches
        by_turn = switches.drop_every > 0 and channel.sent % switches.drop_every == 0
        by_chance = switches.drop_rate > 0 and channel.chance.random() < switches.drop_rate
        return by_turn or by_chance

    def _hold_back(self, channel: _Channel, notice: Notice) -> None:
        channel.window.append(notice)
        if len(channel.window) >= REORDER_WINDOW:
            self._release(channel)
        elif len(channel.window) == 1:
            self.later(REORDER_WAIT_S, lambda: self._release(channel))

    def _release(self, channel: _Channel) -> None:
        window, channel.window = channel.window, []
        channel.chance.shuffle(window)
        for notice in window:
            self._launch(channel, notice)

    def _launch(self, channel: _Channel, notice: Notice) -> None:
        delay_s = channel.switches.delay_ms / 1000
        for _ in range(max(1, channel.switches.copies)):
            self._spawn(self._deliver(notice, delay_s))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, notice: Notice, delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
        for retry_delay_s in (*self._retry_delays_s, None):
            async with self._slots:
                accepted = await self._attempt(notice)
            if accepted:
                self._settle(notice, "delivered")
                return
            if retry_delay_s is not None:
                await asyncio.sleep(retry_delay_s)
        self._settle(notice, "failed")

    async def _attempt(self, notice: Notice) -> bool:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        notice.attempts += 1
        headers = {"Content-Type": "application/json", **notice.sign(int(time.time()))}
        try:
            answer = await self._client.post(notice.url, content=notice.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            notice.last_status = 0
            return False
        notice.last_status = answer.status_code
        return answer.is_success

    def _settle(self, notice: Notice, outcome: Outcome) -> None:
        """The first outcome stands, but a copy that arrives turns a failure into success."""
        if notice.outcome == "queued" or (notice.outcome, outcome) == ("failed", "delivered"):
            notice.outcome = outcome
        self.counts[outcome] += 1

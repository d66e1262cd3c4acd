"""Ask for something, follow it live to its end, and see that it went as it should."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from entrypoints.cli.demo.client import Person, StoryStopped
from entrypoints.cli.demo.live import Event, follow
from entrypoints.cli.demo.story import Tell
from entrypoints.cli.demo.studio_outcome import Account, Made, StudioOutcome, expect

Show = Callable[[str, int, str], None]
"""What is being made, its progress in percent, and the step that it is at."""


SEED = 11
"""The sandbox draws the same again, and the classifier, which would have somebody look at a picture
now and then, has seen it."""


class Maker:
    def __init__(self, outcome: StudioOutcome, *, tell: Tell, show: Show) -> None:
        self._outcome = outcome
        self._tell = tell
        self._show = show

    def make(self, person: Person, what: str, wish: dict[str, Any], steps: list[str]) -> Any:
        """The first result, as the last event has it. Raises StoryStopped, Refused."""
        asked = person.post("/generations", {"seed": SEED, **wish})
        results = self.hear(person, what, asked["id"], steps)["results"]
        if not results:
            raise StoryStopped(f"{what} is ready, and the last event delivers nothing")
        return results[0]

    def hear(self, person: Person, what: str, job_id: str, steps: list[str]) -> Event:
        """The last event of a job that goes through these steps. Raises StoryStopped."""
        began, progress, events, done = time.monotonic(), 0, 0, list[str]()
        event: Event = {}
        with closing(follow(person, job_id)) as heard:
            for event in heard:
                events += 1
                match event["type"]:
                    case "job.progress":
                        if event["progress"] < progress:
                            raise StoryStopped(f"{what} fell back to {event['progress']} %")
                        progress = event["progress"]
                        self._show(what, progress, event["current_step"])
                    case "step.completed":
                        done.append(event["step_type"])
                    case "job.failed":
                        raise StoryStopped(f"{what} failed: {event['error']['message']}")
        expect(f"the progress of {what} at its end", 100, progress)
        expect(f"the steps of {what}", sorted(steps), sorted(done))
        charged = account_of(person).spent_on(job_id)
        took_s = time.monotonic() - began
        self._outcome.made.append(Made(what, person.name, job_id, done, events, charged, took_s))
        self._tell(
            f"{what} is ready: {' → '.join(done)}"
            f" ({events} live events, {took_s:.1f} s, {charged} credits)"
        )
        return event


def account_of(person: Person) -> Account:
    entries = person.get("/credits/transactions", limit=100)
    return Account(person.name, person.get("/credits"), entries)

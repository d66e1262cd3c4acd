"""An inbox in a dict, for the tests of what receives webhooks, and what is parked, in a list."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from application.ports.messages import Box


class Received(NamedTuple):
    source: str
    external_id: str
    kind: str
    payload: bytes


class MemoryInbox:
    """See `application.ports.messages.Inbox`. `received` is in order of arrival."""

    def __init__(self) -> None:
        self._received: dict[tuple[str, str], Received] = {}

    @property
    def received(self) -> list[Received]:
        return list(self._received.values())

    async def receive(self, *, source: str, external_id: str, kind: str, payload: bytes) -> bool:
        if (source, external_id) in self._received:
            return False
        self._received[source, external_id] = Received(source, external_id, kind, payload)
        return True


class Parked(NamedTuple):
    box: Box
    topic: str
    id: UUID


class MemoryParkedMessages:
    """See `application.ports.messages.ParkedMessages`. What is put back leaves `committed`."""

    def __init__(self, committed: list[Parked]) -> None:
        self._committed = committed
        self._redriven: list[Parked] = []

    async def redrive(
        self, box: Box, *, ids: Sequence[UUID] | None, topic: str | None, now: datetime
    ) -> list[UUID]:
        found = [
            one
            for one in self._committed
            if one.box == box
            and one not in self._redriven
            and (ids is None or one.id in ids)
            and topic in (None, one.topic)
        ]
        self._redriven.extend(found)
        return [one.id for one in found]

    def flush(self) -> None:
        for one in self._redriven:
            self._committed.remove(one)
        self._redriven.clear()

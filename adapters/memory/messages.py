"""An inbox in a dict, for the tests of what receives webhooks."""

from typing import NamedTuple


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

"""An audit log in a list, for the tests of use cases."""

from uuid import UUID

from application.messaging.auditing import Recorded, recorded
from application.ports.audit import Facts
from domain.identity.actor import Actor


class MemoryAuditLog:
    """See `application.ports.audit.AuditLog`."""

    def __init__(self, committed: list[Recorded]) -> None:
        self._committed = committed
        self._recorded: list[Recorded] = []

    def record(
        self,
        act: str,
        *,
        actor: Actor | str,
        on: tuple[str, UUID | str],
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> None:
        self._recorded.append(recorded(act, actor=actor, on=on, before=before, after=after))

    def flush(self) -> None:
        self._committed.extend(self._recorded)
        self._recorded.clear()

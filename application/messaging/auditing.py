"""How an act becomes an entry of the audit log, the same in every store."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from application.messaging import correlation
from application.messaging.redaction import redacted
from application.ports.audit import Facts
from domain.identity.actor import Actor


class Recorded(NamedTuple):
    """An entry, but for its id and its time."""

    act: str
    actor_id: UUID | None
    actor_name: str | None
    object_kind: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None
    request_id: str | None


def recorded(
    act: str,
    *,
    actor: Actor | str,
    on: tuple[str, UUID | str],
    before: Facts | None,
    after: Facts | None,
) -> Recorded:
    """Without personal data, and with where the request under way came from."""
    kind, object_id = on
    return Recorded(
        act,
        actor.user_id if isinstance(actor, Actor) else None,
        None if isinstance(actor, Actor) else actor,
        kind,
        str(object_id),
        _facts(before),
        _facts(after),
        correlation.client_address.get(),
        correlation.request_id.get(),
    )


def _facts(facts: Facts | None) -> Any:
    return None if facts is None else redacted(msgspec.to_builtins(facts))

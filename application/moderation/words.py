"""What others may read one day is judged before it is kept: one call for whoever takes it in.

Pages, stores, offers, and what people name and describe in the studio. It is judged before the
transaction that keeps it, for a judge may be somebody outside.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from application.moderation.judging import Moderation, require_allowed_text
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.moderation.case import SubjectKind

READ = frozenset(
    {
        *("name", "title", "display_name", "slug", "code"),
        *("description", "bio", "style", "prompt"),
        *("label", "default", "choices"),
    }
)
"""The fields that people read, wherever they stand."""


def texts_of(given: object) -> dict[str, str]:
    """Everything in a command, or in a part of one, that others may read one day, by its field."""
    return dict(_texts(msgspec.to_builtins(given)))


async def require_publishable(
    given: msgspec.Struct | Mapping[str, object],
    subject: SubjectKind | str,
    subject_id: UUID | None = None,
    *,
    actor: Actor,
    uow: UnitOfWork,
    moderation: Moderation,
    creator_id: UUID | None = None,
) -> None:
    """`subject_id` is of what is changed, if it is there already; a doubt of it then concerns the
    whole of it. Raises TextRefused; Unavailable: nobody could judge, try again."""
    known = subject if isinstance(subject, SubjectKind) else None
    await require_allowed_text(
        texts_of(given),
        subject=str(subject),
        about=(known, subject_id) if known is not None and subject_id is not None else None,
        actor=actor,
        uow=uow,
        moderation=moderation,
        creator_id=creator_id,
    )


def _texts(value: Any, path: str = "", *, read: bool = False) -> Iterator[tuple[str, str]]:
    match value:
        case str() if read:
            yield path, value
        case dict():
            for name, inner in value.items():
                yield from _texts(inner, f"{path}.{name}".lstrip("."), read=name in READ)
        case list() | tuple():
            for number, inner in enumerate(value):
                yield from _texts(inner, f"{path}[{number}]", read=read)

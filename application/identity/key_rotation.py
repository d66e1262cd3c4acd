"""Bring what is encrypted in the database under the newest key, so that an older one may go."""

from collections.abc import Callable

import msgspec

from application.ports.column_keys import ColumnKeys, KeyCount
from application.ports.unit_of_work import UnitOfWork

Progress = Callable[[int, int], None]
"""Hears how many rows are under the newest key by now, and how many had to come under it."""


def _silent(done: int, of: int) -> None:
    pass


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """`left` are the tables as they are now: with none `old` and none `lost`, older keys may go."""

    rewritten: int
    left: list[KeyCount]
    old: int
    lost: int


async def count_keys(keys: ColumnKeys) -> list[KeyCount]:
    by_table: dict[str, KeyCount] = {}
    async for count in keys.count():
        by_table[count.table] = count
    return list(by_table.values())


async def needs_old_key(keys: ColumnKeys) -> KeyCount | None:
    """The first table found with a row that the newest key does not decrypt: a look, no count."""
    async for count in keys.count():
        if count.old or count.lost:
            return count
    return None


async def rotate_keys(
    *, keys: ColumnKeys, uow: UnitOfWork, actor: str, progress: Progress = _silent
) -> Rotated:
    """Safe to repeat, to stop, and while the shop is open: rows that somebody writes meanwhile are
    left to that writer, who writes under the newest key too. The audit log has what was done."""
    total = sum(count.old for count in await count_keys(keys))
    rewritten = 0
    progress(rewritten, total)
    async for batch in keys.rotate():
        rewritten += batch.rewritten
        progress(rewritten, total)
    left = await count_keys(keys)
    done = Rotated(
        rewritten=rewritten,
        left=left,
        old=sum(count.old for count in left),
        lost=sum(count.lost for count in left),
    )
    async with uow:
        uow.audit.record(
            "keys.rotated",
            actor=actor,
            on=("secret key", "encrypted columns"),
            after={"rewritten": rewritten, "old": done.old, "lost": done.lost},
        )
        await uow.commit()
    return done

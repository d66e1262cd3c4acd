"""What keeping exports promises, whoever keeps them."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.system.ids import UuidV7Ids
from domain.reporting.export import Export, ExportFile
from domain.shared.errors import NotFound
from tests.builders import NOON, export_of
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

new_id = UuidV7Ids().new
FILE = ExportFile(key="exports/a/b.csv", name="b.csv", rows=3, size_bytes=70, sha256="0" * 64)


async def kept(new_uow: NewUnitOfWork, *, ready_for: timedelta | None = None) -> Export:
    export = export_of(id=new_id())
    if ready_for is not None:
        export.begin(run=1, at=NOON)
        export.files = (FILE,)
        export.complete(at=NOON - export.kind.kept_for + ready_for)
    async with (uow := new_uow()):
        uow.exports.add(export)
        await uow.commit()
    return export


async def test_an_export_is_kept_with_its_files(new_uow: NewUnitOfWork) -> None:
    export = await kept(new_uow, ready_for=timedelta(hours=1))
    async with (uow := new_uow()):
        found = await uow.exports.get(export.id, lock=True)
    assert fields_of(found) == fields_of(export)
    assert (found.rows, found.size_bytes) == (3, 70)


async def test_the_latest_come_first_in_pages(new_uow: NewUnitOfWork) -> None:
    ids = [(await kept(new_uow)).id for _ in range(3)]
    async with (uow := new_uow()):
        first = await uow.exports.page(before=None, limit=2)
        rest = await uow.exports.page(before=first[-1].id, limit=2)
    assert [one.id for one in [*first, *rest]] == ids[::-1]


async def test_those_whose_time_is_over_are_found(new_uow: NewUnitOfWork) -> None:
    await kept(new_uow)
    await kept(new_uow, ready_for=timedelta(seconds=1))
    over = [(await kept(new_uow, ready_for=-timedelta(seconds=n))).id for n in (2, 1, 0)]
    async with (uow := new_uow()):
        found = await uow.exports.expired(now=NOON, limit=100)
        assert [one.id for one in found] == over
        assert len(await uow.exports.expired(now=NOON, limit=2)) == 2


async def test_what_is_removed_is_gone_with_the_commit(new_uow: NewUnitOfWork) -> None:
    export = await kept(new_uow)
    for commits in (False, True):
        async with (uow := new_uow()):
            await uow.exports.remove(await uow.exports.get(export.id, lock=True))
            if commits:
                await uow.commit()
        async with (uow := new_uow()):
            found = await uow.exports.page(before=None, limit=9)
            assert [one.id for one in found] == ([] if commits else [export.id])
    async with (uow := new_uow()):
        with pytest.raises(NotFound):
            await uow.exports.get(UUID(int=1))


@pytest.mark.parametrize(
    "broken",
    [
        "state = 'ready', finished_at = now(), expires_at = now()",
        "state = 'failed', finished_at = now(), expires_at = now()",
        "state = 'failed', failure = 'no'",
        "finished_at = now(), expires_at = now()",
        "until = since",
    ],
)
async def test_the_database_refuses_what_cannot_be(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession], broken: str
) -> None:
    await kept(postgres_uow)
    async with sessions() as session:
        with pytest.raises(IntegrityError):
            await session.execute(text(f"UPDATE exports SET {broken}"))

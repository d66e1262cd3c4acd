"""What of the library rests on the database: counts under load, and pages that stay flat."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.system import ManualClock
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.library_views import PostgresLibraryViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ports.library import CommunitySort
from domain.studio.publication import WorkKind, publication_of
from tests.builders import NOON, character_of, template_of

MANY = 100_000
READER = uuid4()


@pytest.fixture
async def engine(clean_database: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(clean_database, pool_size=10)
    yield engine
    await engine.dispose()


@pytest.fixture
def uow(engine: AsyncEngine) -> PostgresUnitOfWork:
    return new_uow(engine)


def new_uow(engine: AsyncEngine) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(sessions_of(engine), clock=ManualClock(NOON), ids=UuidV7Ids())


async def shown(uow: PostgresUnitOfWork) -> UUID:
    template = template_of(uuid4())
    publication = publication_of(template, WorkKind.TEMPLATE, creator_id=None, at=NOON)
    publication.submit(template, at=NOON)
    publication.approve(by=None, at=NOON)
    async with uow:
        uow.publications.add(publication)
        await uow.commit()
    return publication.id


async def test_counts_are_exact_when_everybody_likes_at_once(
    engine: AsyncEngine, uow: PostgresUnitOfWork
) -> None:
    work_id = await shown(uow)
    people = [uuid4() for _ in range(30)]

    async def like(user_id: UUID) -> bool:
        async with (mine := new_uow(engine)):
            new = await mine.publications.favour(work_id, user_id, at=NOON)
            await mine.publications.count_use(work_id, user_id, day=NOON.date())
            await mine.commit()
            return new

    async def unlike(user_id: UUID) -> bool:
        async with (mine := new_uow(engine)):
            gone = await mine.publications.unfavour(work_id, user_id)
            await mine.commit()
            return gone

    new = await asyncio.gather(*(like(user_id) for user_id in people * 3))
    assert sum(new) == len(people)
    gone = await asyncio.gather(*(unlike(user_id) for user_id in people[:10] * 3))
    assert sum(gone) == 10
    async with uow:
        publication = await uow.publications.get(work_id)
        assert (publication.favourites, publication.uses) == (20, 30)


async def test_a_review_and_a_favourite_do_not_stand_in_each_others_way(
    engine: AsyncEngine, uow: PostgresUnitOfWork
) -> None:
    work_id = await shown(uow)
    async with uow:
        publication = await uow.publications.get(work_id)
        async with (other := new_uow(engine)):
            await other.publications.favour(work_id, READER, at=NOON)
            await other.commit()
        publication.withdraw()
        await uow.commit()
    async with uow:
        publication = await uow.publications.get(work_id)
        assert (publication.favourites, publication.is_published) == (1, False)


async def test_the_database_knows_no_child(uow: PostgresUnitOfWork) -> None:
    with pytest.raises(IntegrityError, match="adult"):
        async with uow:
            uow.characters.add(character_of(uuid4(), age=17))
            await uow.commit()


_FILL = f"""
    INSERT INTO publications (id, kind, name, description, category, state, submitted_at,
                              published_at, favourites, uses, version)
    SELECT gen_random_uuid(), (ARRAY['template', 'template', 'character', 'preset'])[1 + n % 4],
           'Work ' || n, 'a picture by the ' || (ARRAY['sea', 'lake'])[1 + n % 2]
               || CASE WHEN n % 10000 = 0 THEN ' with a lighthouse' ELSE '' END, '',
           CASE WHEN n % 10 = 9 THEN 'private' ELSE 'published' END, now(),
           now() - n * interval '1 minute', n % 1000, n % 77, 1
    FROM generate_series(1, {MANY}) AS n
"""


async def test_pages_are_flat_among_very_many(engine: AsyncEngine) -> None:
    """However far, in whatever order, and among whatever kind: a page reads what it shows."""
    async with engine.begin() as connection:
        await connection.execute(text(_FILL))
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE publications"))
    views = Explaining(engine)
    for sort in CommunitySort:
        for kind in (None, WorkKind.TEMPLATE):
            before = None
            for _ in range(2):
                page = await views.community(
                    kind=kind, sort=sort, words=[], reader_id=READER, before=before, limit=21
                )
                assert len(page) == 21
                assert views.rows_read() < 400, (sort, kind, before)
                assert "Seq Scan on publications" not in views.plan
                middle = {CommunitySort.POPULAR: 500, CommunitySort.MOST_USED: 38}
                before = (middle.get(sort, page[-1].published_at), page[-1].id)
    rare = await views.community(
        kind=None,
        sort=CommunitySort.POPULAR,
        words=["lighth"],
        reader_id=None,
        before=None,
        limit=21,
    )
    assert len(rare) == sum(n % 10 != 9 for n in range(10_000, MANY + 1, 10_000))
    assert "ix_publications_search" in views.plan
    assert views.rows_read() < 1_000


class Explaining(PostgresLibraryViews):
    """Keeps the plan of what was read last, with how many rows each step read."""

    plan = ""

    async def _rows(self, statement: Any) -> list[dict[str, Any]]:
        async with self._engine.connect() as connection:
            compiled = statement.compile(connection.engine, compile_kwargs={"literal_binds": True})
            explained = await connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}"
            )
            self._found = explained.scalar_one()
            self.plan = "\n".join(_steps(self._tree()))
        return await super()._rows(statement)

    def rows_read(self) -> int:
        return _rows_of(self._tree())

    def _tree(self) -> Any:
        found = json.loads(self._found) if isinstance(self._found, str) else self._found
        return found[0]["Plan"]


def _steps(node: Any) -> list[str]:
    name = f"{node['Node Type']} on {node.get('Relation Name', node.get('Index Name', ''))}"
    own = f"{name} {node.get('Index Name', '')}"
    return [own, *(step for child in node.get("Plans", ()) for step in _steps(child))]


def _rows_of(node: Any) -> int:
    own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(own) + sum(_rows_of(child) for child in node.get("Plans", ()))

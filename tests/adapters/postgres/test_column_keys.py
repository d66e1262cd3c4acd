"""Encrypted columns come under the newest key while the shop is open, and nothing is lost by it."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.system import ManualClock
from adapters.postgres.column_keys import PostgresColumnKeys, encrypted_columns
from adapters.postgres.encrypted import KeysMissing, use_keys
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.identity.key_rotation import Rotated, count_keys, needs_old_key, rotate_keys
from application.ports.column_keys import KeyCount
from domain.ledger.payee import Payee, PayeeKind
from domain.ordering.address import Address
from domain.ordering.cart import Cart
from entrypoints.cli.checks import judge_keys
from tests.builders import NOON, tax_profile_of

OLD, NEW = "o" * 48, "n" * 48


class Files:
    """Tax profiles of some payees, written under the old key."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.keys = PostgresColumnKeys(engine, rows_per_batch=2)

    def new_uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(
            sessions_of(self.engine), clock=ManualClock(NOON), ids=UuidV7Ids()
        )

    async def add(self, count: int) -> list[UUID]:
        ids = sorted(uuid4() for _ in range(count))
        async with self.new_uow() as uow:
            for payee_id in ids:
                uow.payees.add(Payee(id=payee_id, kind=PayeeKind.CREATOR))
            await uow.commit()
        async with self.new_uow() as uow:
            for payee_id in ids:
                uow.tax_profiles.add(tax_profile_of(payee_id))
            await uow.commit()
        return ids

    async def rename(self, payee_id: UUID, name: str) -> None:
        async with self.new_uow() as uow:
            (await uow.tax_profiles.get(payee_id)).legal_name = name
            await uow.commit()

    async def names(self, ids: list[UUID]) -> list[str]:
        async with self.new_uow() as uow:
            return [(await uow.tax_profiles.get(payee_id)).legal_name for payee_id in ids]

    async def stored(self) -> list[tuple[object, ...]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT id, legal_name, address, tin_reference, version FROM tax_profiles")
            )
            return sorted(tuple(row) for row in rows)

    async def rotate(self) -> Rotated:
        return await rotate_keys(keys=self.keys, uow=self.new_uow(), actor="the command line")


@pytest.fixture
async def files(clean_database: str) -> AsyncIterator[Files]:
    use_keys(lambda: [OLD])
    engine = open_engine(clean_database)
    yield Files(engine)
    await engine.dispose()


def test_the_tables_say_what_is_encrypted() -> None:
    found = {t.name: [c.name for c in columns] for t, columns in encrypted_columns().items()}
    assert found["tax_profiles"] == ["legal_name", "tin_reference", "address"]
    for table in encrypted_columns():
        assert len(table.primary_key.columns) == 1, "batches go by one column"


async def test_after_a_rotation_the_old_key_may_go(files: Files) -> None:
    ids = await files.add(5)
    use_keys(lambda: [NEW, OLD])
    assert await count_keys(files.keys) == [KeyCount(table="tax_profiles", rows=5, old=5)]

    done = await files.rotate()

    assert (done.rewritten, done.old, done.lost) == (5, 0, 0)
    use_keys(lambda: [NEW])
    assert await files.names(ids) == ["Ada Lovelace"] * 5
    assert await needs_old_key(files.keys) is None
    async with files.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT act, after FROM audit_entries"))).all()
    assert [(act, after["rewritten"]) for act, after in rows] == [("keys.rotated", 5)]


async def test_addresses_of_carts_and_orders_are_rotated_and_clear_ones_left(files: Files) -> None:
    """One cart that was written in clear before its column was encrypted, one under the old key."""
    home = Address(country="DE", name="Ada", line1="1 Known Street")
    carts = [
        Cart(id=uuid4(), user_id=None, ship_to=home, created_at=NOON, updated_at=NOON)
        for _ in range(2)
    ]
    async with files.new_uow() as uow:
        for cart in carts:
            uow.carts.add(cart)
        await uow.commit()
    async with files.engine.begin() as connection:
        await connection.execute(
            text("""UPDATE carts SET ship_to = '{"country": "FR"}' WHERE id = :id"""),
            {"id": carts[0].id},
        )
    use_keys(lambda: [NEW, OLD])
    assert await count_keys(files.keys) == [KeyCount(table="carts", rows=1, old=1)]

    assert (await files.rotate()).rewritten == 1

    use_keys(lambda: [NEW])
    async with files.new_uow() as uow:
        assert (await uow.carts.get(carts[1].id)).ship_to == home
        assert (await uow.carts.get(carts[0].id)).ship_to == Address(country="FR")


async def test_what_is_done_stays_done_and_is_not_done_again(files: Files) -> None:
    await files.add(5)
    use_keys(lambda: [NEW, OLD])
    async for _ in files.keys.rotate():
        break  # stopped after the first batch
    [half] = await count_keys(files.keys)
    assert (half.rows, half.old) == (5, 3)

    assert (await files.rotate()).rewritten == 3
    rotated = await files.stored()
    assert (await files.rotate()).rewritten == 0
    assert await files.stored() == rotated


async def test_a_row_that_is_partly_under_the_old_key_is_rotated_whole(files: Files) -> None:
    [payee_id] = await files.add(1)
    use_keys(lambda: [NEW, OLD])
    await files.rename(payee_id, "Ada King")  # the address is still under the old key

    assert (await files.rotate()).rewritten == 1

    use_keys(lambda: [NEW])
    assert await files.names([payee_id]) == ["Ada King"]


async def test_what_somebody_writes_meanwhile_is_not_undone(files: Files) -> None:
    ids = await files.add(2)
    use_keys(lambda: [NEW, OLD])
    writing = WrittenBetween(files, ids[0], "Ada King")

    batches = [batch async for batch in writing.rotate()]

    assert [(batch.rewritten, batch.missed) for batch in batches] == [(1, 1)]
    assert await files.names(ids) == ["Ada King", "Ada Lovelace"]
    assert (await files.rotate()).old == 0
    assert await files.names(ids) == ["Ada King", "Ada Lovelace"]


class WrittenBetween(PostgresColumnKeys):
    """Somebody commits a change after a batch was read and before it is written."""

    def __init__(self, files: Files, payee_id: UUID, name: str) -> None:
        super().__init__(files.engine)
        self._files, self._payee_id, self._name = files, payee_id, name

    async def _rewrite(self, table, rows):  # type: ignore[no-untyped-def]
        await self._files.rename(self._payee_id, self._name)
        return await super()._rewrite(table, rows)


async def test_a_writer_who_read_before_the_rotation_can_still_commit(files: Files) -> None:
    [payee_id] = await files.add(1)
    use_keys(lambda: [NEW, OLD])
    async with files.new_uow() as uow:
        profile = await uow.tax_profiles.get(payee_id)
        await files.rotate()
        profile.legal_name = "Ada King"
        await uow.commit()

    use_keys(lambda: [NEW])
    assert await files.names([payee_id]) == ["Ada King"]


async def test_a_row_that_no_key_decrypts_is_told_and_left_alone(files: Files) -> None:
    await files.add(1)
    before = await files.stored()
    use_keys(lambda: [NEW])

    done = await files.rotate()

    assert (done.rewritten, done.lost) == (0, 1)
    assert await files.stored() == before
    use_keys(lambda: [OLD])
    assert await needs_old_key(files.keys) is None


async def test_the_doctor_says_whether_an_old_key_is_needed(files: Files) -> None:
    await files.add(3)

    async def told(*given: str) -> tuple[bool, str]:
        use_keys(lambda: given)
        finding = judge_keys(await needs_old_key(files.keys), of=len(given))
        return finding.ok, finding.detail

    needed, lost = await told(NEW, OLD), await told(NEW)
    assert not needed[0]
    assert "run `likeness keys rotate`" in needed[1]
    assert not lost[0]
    assert "put the key that is missing" in lost[1]
    use_keys(lambda: [NEW, OLD])
    await files.rotate()
    assert (await told(NEW, OLD))[0]
    assert (await told(NEW)) == (True, "the newest decrypts everything")


async def test_reading_with_a_lost_key_is_an_error_that_says_so(files: Files) -> None:
    [payee_id] = await files.add(1)
    use_keys(lambda: [NEW])
    with pytest.raises(KeysMissing, match="LIKENESS_SECRET_KEY"):
        await files.names([payee_id])

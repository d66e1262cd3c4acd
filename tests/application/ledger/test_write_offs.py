"""Debts are given up by administrators only, with a reason, once, and never more than is owed."""

import asyncio
from uuid import UUID

import pytest

from adapters.postgres.ledger_reading import PostgresBooksViews
from adapters.system.ids import UuidV7Ids
from application.ledger.write_offs import WriteOffDebt, WriteOffView, write_off_debt
from application.ports.idempotency import KeyReused
from domain.identity.actor import Actor, Role, RoleRequired
from domain.ledger import effects
from domain.ledger.effects import Part
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.posting import Account
from domain.ledger.write_off import WriteOffTooLarge
from domain.shared.errors import NotFound
from tests.application.ledger.books import STORE, Books
from tests.builders import NOON, USD

ADMIN = Actor(UUID(int=7), frozenset({Role.ADMIN}))


@pytest.fixture
async def owing(books: Books) -> Books:
    """The store owes 300 cents."""
    debt = effects.refund(
        refund_id=UUID(int=1),
        order_id=UUID(int=2),
        currency=USD,
        parts=[Part(Account.PAYABLE_AVAILABLE, STORE, 300)],
        at=NOON,
    )
    async with (uow := books.new_uow()):
        uow.payees.add(Payee(id=STORE, kind=PayeeKind.STORE))
        await uow.commit()
    await books.post(debt)
    return books


async def write_off(
    books: Books, cents: int = 300, *, key: str = "k", by: Actor = ADMIN, reason: str = "closed"
) -> WriteOffView:
    return await write_off_debt(
        STORE,
        WriteOffDebt(amount_cents=cents, currency="usd", reason=reason),
        request_key=key,
        actor=by,
        uow=books.new_uow(),
        clock=books.clock,
        ids=UuidV7Ids(),
    )


async def owed(books: Books) -> list[tuple[UUID, int]]:
    found = await PostgresBooksViews(books.engine).owing(after=None, limit=10)
    return [(one.payee_id, one.owed_cents) for one in found]


async def test_what_is_written_off_is_no_longer_owed(owing: Books) -> None:
    assert await owed(owing) == [(STORE, 300)]
    await write_off(owing, 100, key="a")
    assert await owed(owing) == [(STORE, 200)]
    written = await write_off(owing, 200, key="b")
    assert await owed(owing) == []
    sums = await PostgresBooksViews(owing.engine).accounts()
    assert {a.account: a.total_cents for a in sums.accounts}["write_offs"] == -300
    entries = await PostgresBooksViews(owing.engine).transaction(f"write_off:{written.id}")
    assert [(e.account, e.amount_cents) for e in entries] == [
        ("write_offs", -200),
        ("payable_available", 200),
    ]
    assert await owing.breaches() == []


async def test_never_more_than_is_owed_however_many_ask(owing: Books) -> None:
    with pytest.raises(WriteOffTooLarge):
        await write_off(owing, 301)
    asked = await asyncio.gather(
        *(write_off(owing, 200, key=f"k{n}") for n in range(4)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in asked) == [
        "WriteOffTooLarge",
        "WriteOffTooLarge",
        "WriteOffTooLarge",
        "WriteOffView",
    ]
    assert await owed(owing) == [(STORE, 100)]


async def test_the_same_request_is_answered_again_and_another_one_refused(owing: Books) -> None:
    assert await write_off(owing, 100) == await write_off(owing, 100)
    with pytest.raises(KeyReused):
        await write_off(owing, 150)
    assert await owed(owing) == [(STORE, 200)]


async def test_only_administrators_give_up_debts(owing: Books) -> None:
    with pytest.raises(RoleRequired):
        await write_off(owing, by=Actor(UUID(int=8), frozenset({Role.STORE_OWNER})))


async def test_a_payee_must_exist(books: Books) -> None:
    with pytest.raises(NotFound):
        await write_off(books)

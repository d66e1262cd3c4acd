"""What every store of tax profiles and filings promises."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.encrypted import KeysMissing, use_keys
from application.ports.repository import AlreadyExists
from domain.ledger.payee import Payee, PayeeKind
from domain.reporting.tax_profile import TaxFiling, TinMatch
from domain.shared.errors import NotFound
from tests.builders import NOON, tax_profile_of
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

OLD, NEW = "o" * 48, "n" * 48


@pytest.fixture(autouse=True)
def keys() -> None:
    use_keys(lambda: [OLD])


async def payee(new_uow: NewUnitOfWork) -> UUID:
    made = Payee(id=uuid4(), kind=PayeeKind.CREATOR)
    async with new_uow() as uow:
        uow.payees.add(made)
        await uow.commit()
    return made.id


def filing(payee_id: UUID, *, correction: bool = False, content: str = "a") -> TaxFiling:
    return TaxFiling(
        id=uuid4(),
        payee_id=payee_id,
        form="1099-k",
        box="1a",
        year=2026,
        content_hash=content,
        gross_cents=5,
        correction=correction,
        filed_at=NOON,
    )


async def test_a_profile_comes_back_as_it_was(new_uow: NewUnitOfWork) -> None:
    payee_id = await payee(new_uow)
    made = tax_profile_of(payee_id, tin_match=TinMatch.MATCHED)
    kept = fields_of(made)
    async with new_uow() as uow:
        uow.tax_profiles.add(made)
        await uow.commit()
    async with new_uow() as uow:
        assert fields_of(await uow.tax_profiles.get(payee_id)) == kept
        assert await uow.tax_profiles.find(uuid4()) is None
        with pytest.raises(NotFound):
            await uow.tax_profiles.get(uuid4())


async def test_a_form_is_filed_once_and_then_corrected(new_uow: NewUnitOfWork) -> None:
    payee_id = await payee(new_uow)
    for made in (filing(payee_id), filing(payee_id, correction=True, content="b")):
        async with new_uow() as uow:
            uow.tax_filings.add(made)
            await uow.commit()
    async with new_uow() as uow:
        found = await uow.tax_filings.of_payees([payee_id], form="1099-k", year=2026)
        assert {f.content_hash for f in found} == {"a", "b"}
        assert await uow.tax_filings.of_payees([payee_id], form="1099-k", year=2025) == []
    async with new_uow() as uow:
        uow.tax_filings.add(filing(payee_id, content="c"))
        with pytest.raises(AlreadyExists):
            await uow.commit()


async def test_what_is_personal_is_encrypted_and_keys_rotate(
    postgres_uow: NewUnitOfWork, sessions: async_sessionmaker[AsyncSession]
) -> None:
    payee_id = await payee(postgres_uow)
    async with postgres_uow() as uow:
        uow.tax_profiles.add(tax_profile_of(payee_id))
        await uow.commit()
    async with sessions() as session:
        stored = (await session.execute(text("SELECT * FROM tax_profiles"))).one()
    for secret in ("Lovelace", "Known Street", "tok_1"):
        assert secret not in str(stored)

    use_keys(lambda: [NEW, OLD])
    async with postgres_uow() as uow:
        profile = await uow.tax_profiles.get(payee_id)
        assert profile.legal_name == "Ada Lovelace"
        profile.legal_name = "Ada King"
        await uow.commit()
    use_keys(lambda: [NEW])
    async with postgres_uow() as uow:
        with pytest.raises(KeysMissing):  # the address is still under the old key
            await uow.tax_profiles.get(payee_id)

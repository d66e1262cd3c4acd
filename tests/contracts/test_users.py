"""What every store of users and sessions promises; concurrency is PostgreSQL's to show."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.memory.identity import CountingSecrets, MemoryAccessTokens
from adapters.memory.system import ManualClock
from adapters.postgres.catalogue import stores
from adapters.postgres.creators import creators
from adapters.postgres.identity import PostgresIdentityViews
from adapters.system.ids import UuidV7Ids
from application.identity import sign_in
from application.identity.sign_in import Refresh, SignedIn
from application.ports.identity import EmailTaken
from domain.identity.actor import Role
from domain.identity.session import (
    EndReason,
    Origin,
    RefreshTokenInvalid,
    RefreshTokenReused,
    Session,
    digest,
)
from domain.identity.user import User
from domain.shared.errors import NotFound
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAPTOP = Origin(user_agent="Laptop", address="192.0.2.1")


def user(email: str = "ada@example.org") -> User:
    return User.register(
        user_id=uuid4(),
        email=email,
        display_name="Ada",
        password_hash="1$hash",
        roles=frozenset({Role.CREATOR, Role.FAN}),
        now=NOON,
    )


async def stored(new_uow: NewUnitOfWork, *users: User) -> None:
    async with new_uow() as uow:
        for each in users:
            uow.users.add(each)
        await uow.commit()


async def signed_in(new_uow: NewUnitOfWork, owner: User, *, token: str = "first") -> Session:
    session = Session.start(session_id=uuid4(), user_id=owner.id, origin=LAPTOP, now=NOON)
    async with new_uow() as uow:
        uow.sessions.add(session)
        uow.sessions.add_token(session.issue(token, token_id=uuid4(), now=NOON))
        await uow.commit()
    return session


async def test_a_user_is_found_by_id_and_by_address(new_uow: NewUnitOfWork) -> None:
    ada = user()
    await stored(new_uow, ada, user("grace@example.org"))

    async with new_uow() as uow:
        by_id = await uow.users.get(ada.id)
        by_email = await uow.users.by_email("ada@example.org")

    assert by_email is by_id
    assert fields_of(by_id) == fields_of(ada)


async def test_who_is_not_there_is_not_found(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        assert await uow.users.by_email("ada@example.org") is None
        assert await uow.sessions.by_refresh_token(digest("made up")) is None
        with pytest.raises(NotFound):
            await uow.users.get(UUID(int=404))


async def test_two_users_never_share_an_address(new_uow: NewUnitOfWork) -> None:
    await stored(new_uow, user())

    with pytest.raises(EmailTaken):
        await stored(new_uow, user())


async def test_a_new_user_and_their_first_session_are_stored_together(
    new_uow: NewUnitOfWork,
) -> None:
    ada = user()
    session = Session.start(session_id=uuid4(), user_id=ada.id, origin=LAPTOP, now=NOON)
    async with new_uow() as uow:
        uow.sessions.add_token(session.issue("first", token_id=uuid4(), now=NOON))
        uow.sessions.add(session)
        uow.users.add(ada)
        await uow.commit()

    async with new_uow() as uow:
        assert await uow.sessions.by_refresh_token(digest("first")) is not None


async def test_what_is_not_committed_did_not_happen(new_uow: NewUnitOfWork) -> None:
    ada = user()
    await stored(new_uow, ada)
    async with new_uow() as uow:
        (await uow.users.get(ada.id)).display_name = "Somebody"

    async with new_uow() as uow:
        assert (await uow.users.get(ada.id)).display_name == "Ada"


async def test_a_session_is_found_by_any_of_its_tokens(new_uow: NewUnitOfWork) -> None:
    ada = user()
    await stored(new_uow, ada)
    started = await signed_in(new_uow, ada)
    async with new_uow() as uow:
        found = await uow.sessions.by_refresh_token(digest("first"))
        assert found is not None
        session, first = found
        session.spend(first, origin=LAPTOP, now=NOON)
        uow.sessions.add_token(session.issue("second", token_id=uuid4(), now=NOON))
        await uow.commit()

    async with new_uow() as uow:
        for token, spent_at in (("first", NOON), ("second", None)):
            found = await uow.sessions.by_refresh_token(digest(token))
            assert found is not None
            assert (found[0].id, found[1].spent_at) == (started.id, spent_at)


async def test_an_ended_session_stays_ended(new_uow: NewUnitOfWork) -> None:
    ada = user()
    await stored(new_uow, ada)
    session_id = (await signed_in(new_uow, ada)).id
    async with new_uow() as uow:
        (await uow.sessions.get(session_id)).end(EndReason.REVOKED, now=NOON)
        await uow.commit()

    async with new_uow() as uow:
        session = await uow.sessions.get(session_id, lock=True)
        assert (session.ended_at, session.end_reason) == (NOON, EndReason.REVOKED)


async def test_of_two_refreshes_at_once_one_wins_and_the_session_ends(
    postgres_uow: NewUnitOfWork,
) -> None:
    ada = user()
    await stored(postgres_uow, ada)
    session_id = (await signed_in(postgres_uow, ada)).id
    secrets, tokens = CountingSecrets(), MemoryAccessTokens()

    async def refresh(token: str) -> SignedIn:
        return await sign_in.refresh(
            Refresh(refresh_token=token),
            origin=LAPTOP,
            uow=postgres_uow(),
            clock=ManualClock(NOON),
            ids=UuidV7Ids(),
            secrets=secrets,
            tokens=tokens,
        )

    outcomes = await asyncio.gather(*(refresh("first") for _ in range(4)), return_exceptions=True)

    winners = [outcome for outcome in outcomes if isinstance(outcome, SignedIn)]
    refusals = sorted(type(o).__name__ for o in outcomes if isinstance(o, Exception))
    assert len(winners) == 1
    assert refusals == [RefreshTokenInvalid.__name__] * 2 + [RefreshTokenReused.__name__]
    with pytest.raises(RefreshTokenInvalid):
        await refresh(winners[0].refresh_token)
    async with postgres_uow() as uow:
        assert (await uow.sessions.get(session_id)).end_reason is EndReason.TOKEN_REUSED


async def test_of_two_who_register_one_address_at_once_one_wins(
    postgres_uow: NewUnitOfWork,
) -> None:
    outcomes = await asyncio.gather(
        *(stored(postgres_uow, user()) for _ in range(4)), return_exceptions=True
    )

    assert outcomes.count(None) == 1
    assert all(isinstance(outcome, EmailTaken | None) for outcome in outcomes)


async def test_a_user_sees_who_they_are(
    sessions: async_sessionmaker[AsyncSession], postgres_uow: NewUnitOfWork
) -> None:
    ada = user()
    await stored(postgres_uow, ada)

    me = await PostgresIdentityViews(sessions).me(ada.id)

    assert (me.user.id, me.user.email) == (ada.id, "ada@example.org")
    assert me.user.roles == [Role.CREATOR, Role.FAN]
    with pytest.raises(NotFound):
        await PostgresIdentityViews(sessions).me(UUID(int=404))


async def test_a_user_sees_what_they_have_set_up(
    sessions: async_sessionmaker[AsyncSession], postgres_uow: NewUnitOfWork
) -> None:
    ada = user()
    await stored(postgres_uow, ada)
    creator_id, store_ids = uuid4(), sorted(uuid4() for _ in range(2))
    async with sessions() as session:
        await session.execute(
            insert(creators).values(
                id=creator_id,
                user_id=ada.id,
                slug="ada",
                display_name="Ada",
                bio="",
                published=False,
                created_at=NOON,
                version=1,
            )
        )
        for number, store_id in enumerate(store_ids):
            await session.execute(
                insert(stores).values(
                    id=store_id,
                    owner_id=ada.id,
                    slug=f"store-{number}",
                    name="Store",
                    description="",
                    created_at=NOON,
                    version=1,
                )
            )
        await session.commit()

    me = await PostgresIdentityViews(sessions).me(ada.id)

    assert (me.creator_id, me.store_ids) == (creator_id, store_ids)


async def test_only_sessions_that_can_go_on_are_listed(
    sessions: async_sessionmaker[AsyncSession], postgres_uow: NewUnitOfWork
) -> None:
    ada, grace = user(), user("grace@example.org")
    await stored(postgres_uow, ada, grace)
    here = await signed_in(postgres_uow, ada, token="here")
    ended = await signed_in(postgres_uow, ada, token="ended")
    await signed_in(postgres_uow, grace, token="other")
    async with postgres_uow() as uow:
        (await uow.sessions.get(ended.id)).end(EndReason.LOGGED_OUT, now=NOON)
        await uow.commit()
    views = PostgresIdentityViews(sessions)

    listed = await views.sessions(ada.id, current=here.id, now=NOON)

    assert [(session.id, session.current) for session in listed] == [(here.id, True)]
    assert await views.sessions(ada.id, current=None, now=NOON + timedelta(days=30)) == []

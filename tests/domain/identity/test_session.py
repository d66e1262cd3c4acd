"""A session's refresh tokens each work once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.identity.session import (
    REFRESH_LIFETIME,
    EndReason,
    Origin,
    RefreshToken,
    RefreshTokenInvalid,
    RefreshTokenReused,
    Session,
    digest,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Origin(user_agent="Browser", address="192.0.2.1")


def started() -> tuple[Session, RefreshToken]:
    session = Session.start(session_id=UUID(int=1), user_id=UUID(int=2), origin=HERE, now=NOON)
    return session, session.issue("first", token_id=UUID(int=3), now=NOON)


def test_a_token_is_known_by_its_digest_only() -> None:
    _, token = started()

    assert token.token_hash == digest("first")
    assert "first" not in repr(token)


def test_each_refresh_lengthens_the_session() -> None:
    session, first = started()
    later = NOON + timedelta(days=29)

    session.spend(first, origin=HERE, now=later)
    second = session.issue("second", token_id=UUID(int=4), now=later)

    assert first.spent_at == later
    assert second.expires_at == session.expires_at == later + REFRESH_LIFETIME
    assert session.last_seen_at == later


def test_a_refresh_remembers_where_it_came_from() -> None:
    session, token = started()

    session.spend(token, origin=Origin(user_agent="Phone", address="192.0.2.9"), now=NOON)

    assert (session.user_agent, session.address) == ("Phone", "192.0.2.9")


def test_a_spent_token_that_comes_back_ends_the_session() -> None:
    session, token = started()
    session.spend(token, origin=HERE, now=NOON)

    with pytest.raises(RefreshTokenReused):
        session.spend(token, origin=HERE, now=NOON)

    assert session.end_reason is EndReason.TOKEN_REUSED


def test_nothing_refreshes_an_ended_session() -> None:
    session, token = started()
    session.end(EndReason.LOGGED_OUT, now=NOON)

    with pytest.raises(RefreshTokenInvalid):
        session.spend(token, origin=HERE, now=NOON)


def test_a_token_works_until_the_instant_it_expires() -> None:
    session, token = started()

    with pytest.raises(RefreshTokenInvalid):
        session.spend(token, origin=HERE, now=NOON + REFRESH_LIFETIME)

    session.spend(token, origin=HERE, now=NOON + REFRESH_LIFETIME - timedelta(microseconds=1))


def test_the_first_reason_to_end_stays() -> None:
    session, _ = started()
    session.end(EndReason.REVOKED, now=NOON)
    session.end(EndReason.LOGGED_OUT, now=NOON + timedelta(hours=1))

    assert (session.end_reason, session.ended_at) == (EndReason.REVOKED, NOON)


def test_what_strangers_say_of_themselves_is_cut_to_size() -> None:
    origin = Origin.of(user_agent="A\x00B\n" + "C" * 500, address="")

    assert origin.user_agent == "AB" + "C" * 198
    assert origin.address is None

"""What every AccessTokens promises, and what is refused of JWTs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.memory.identity import MemoryAccessTokens
from application.ports.tokens import AccessTokenExpired, AccessTokenInvalid, AccessTokens
from domain.identity.actor import Actor, Role

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTOR = Actor(
    user_id=UUID(int=7),
    roles=frozenset({Role.CREATOR, Role.STORE_OWNER}),
    session_id=UUID(int=8),
)


@pytest.fixture(params=["memory", "jwt"])
def tokens(request: pytest.FixtureRequest) -> AccessTokens:
    return MemoryAccessTokens() if request.param == "memory" else JwtAccessTokens(["new secret"])


def test_a_token_vouches_for_the_actor_it_was_issued_to(tokens: AccessTokens) -> None:
    token, lifetime_s = tokens.issue(ACTOR, now=NOON)

    assert lifetime_s == 15 * 60
    assert tokens.verify(token, now=NOON) == ACTOR


def test_an_actor_need_not_have_a_session(tokens: AccessTokens) -> None:
    actor = Actor(user_id=UUID(int=7), roles=frozenset({Role.FAN}))

    token, _ = tokens.issue(actor, now=NOON)

    assert tokens.verify(token, now=NOON) == actor


def test_a_token_works_until_the_instant_it_expires(tokens: AccessTokens) -> None:
    token, lifetime_s = tokens.issue(ACTOR, now=NOON)

    assert tokens.verify(token, now=NOON + timedelta(seconds=lifetime_s - 1)) == ACTOR
    with pytest.raises(AccessTokenExpired):
        tokens.verify(token, now=NOON + timedelta(seconds=lifetime_s))


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "é.è.ê", "access-999", "x" * 9000])
def test_anything_else_is_refused(tokens: AccessTokens, token: str) -> None:
    with pytest.raises(AccessTokenInvalid):
        tokens.verify(token, now=NOON)


def test_a_token_of_the_previous_key_works_until_that_key_is_gone() -> None:
    token, _ = JwtAccessTokens(["old secret"]).issue(ACTOR, now=NOON)

    assert JwtAccessTokens(["new secret", "old secret"]).verify(token, now=NOON) == ACTOR
    with pytest.raises(AccessTokenInvalid):
        JwtAccessTokens(["new secret"]).verify(token, now=NOON)


def test_the_first_key_signs() -> None:
    rotated, _ = JwtAccessTokens(["new secret", "old secret"]).issue(ACTOR, now=NOON)

    assert JwtAccessTokens(["new secret"]).verify(rotated, now=NOON) == ACTOR


def test_a_token_for_another_audience_or_from_another_issuer_is_refused() -> None:
    ours = JwtAccessTokens(["new secret"])
    for stranger in (
        JwtAccessTokens(["new secret"], issuer="elsewhere"),
        JwtAccessTokens(["new secret"], audience="another-api"),
    ):
        token, _ = stranger.issue(ACTOR, now=NOON)
        with pytest.raises(AccessTokenInvalid):
            ours.verify(token, now=NOON)


def test_a_jwt_carries_the_claims_that_the_document_names() -> None:
    token, _ = JwtAccessTokens(["new secret"]).issue(ACTOR, now=NOON)

    assert jwt.get_unverified_header(token).keys() == {"alg", "kid", "typ"}
    assert _claims(token) == {
        "sub": str(ACTOR.user_id),
        "roles": ["creator", "store_owner"],
        "sid": str(ACTOR.session_id),
        "type": "access",
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 900,
        "iss": "likeness",
        "aud": "likeness-api",
    }


def test_an_unsigned_token_is_refused() -> None:
    tokens = JwtAccessTokens(["new secret"])
    token, _ = tokens.issue(ACTOR, now=NOON)
    header = jwt.get_unverified_header(token)
    unsigned = jwt.encode(_claims(token), "", algorithm="none", headers={"kid": header["kid"]})

    for forged in (unsigned, token.rpartition(".")[0] + ".", token[:-4] + "AAAA"):
        with pytest.raises(AccessTokenInvalid):
            tokens.verify(forged, now=NOON)


def test_the_secret_itself_signs_nothing() -> None:
    tokens = JwtAccessTokens(["a secret of thirty-two characters"])
    token, _ = tokens.issue(ACTOR, now=NOON)
    kid = jwt.get_unverified_header(token)["kid"]
    forged = jwt.encode(
        _claims(token), "a secret of thirty-two characters", algorithm="HS256", headers={"kid": kid}
    )

    with pytest.raises(AccessTokenInvalid):
        tokens.verify(forged, now=NOON)


def test_without_a_secret_nothing_starts() -> None:
    with pytest.raises(ValueError, match="secret"):
        JwtAccessTokens([])


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims

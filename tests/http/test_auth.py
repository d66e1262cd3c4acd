"""Registering, signing in and staying signed in, as a client sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import argon2
import httpx
import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from adapters.argon2.passwords import Argon2PasswordHasher
from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.memory.idempotency import MemoryIdempotency
from adapters.memory.live import MemoryLive, MemoryLiveRecords
from adapters.memory.rate_limits import MemoryRateLimits
from adapters.memory.storage import MemoryStorage
from adapters.memory.system import ManualClock
from adapters.postgres.engine import sessions_of
from adapters.postgres.identity import PostgresIdentityViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from adapters.system.secrets import SystemSecrets
from application.ports.idempotency import Idempotency
from application.ports.identity import IdentityViews, PasswordHasher
from application.ports.ids import Ids
from application.ports.rate_limits import RateLimits
from application.ports.secrets import Secrets
from application.ports.tokens import AccessTokens
from application.studio.news import Newsroom
from entrypoints.http.app import create_app
from entrypoints.http.health import HealthCheck
from entrypoints.http.routes import auth
from entrypoints.http.settings import HttpSettings
from tests.http.asgi import client_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "velvet otter drums"


@dataclass(frozen=True)
class Ports:
    uow: Callable[[], PostgresUnitOfWork]
    identity_views: IdentityViews
    clock: ManualClock
    password_hasher: PasswordHasher
    ids: Ids = field(default_factory=UuidV7Ids)
    secrets: Secrets = field(default_factory=SystemSecrets)
    access_tokens: AccessTokens = field(default_factory=lambda: JwtAccessTokens(["a secret"]))
    idempotency: Idempotency = field(default_factory=MemoryIdempotency)
    rate_limits: RateLimits = field(
        default_factory=lambda: MemoryRateLimits(clock=ManualClock(NOON))
    )
    newsroom: Newsroom = field(
        default_factory=lambda: Newsroom(
            feed=MemoryLive(),
            records=MemoryLiveRecords(),
            storage=MemoryStorage(clock=ManualClock()),
        )
    )
    health_checks: Mapping[str, HealthCheck] = field(default_factory=dict)


class Client:
    """Somebody's programme. `sign_up` and `sign_in` remember the tokens that they got."""

    def __init__(self, http: httpx.AsyncClient, clock: ManualClock) -> None:
        self.http = http
        self.clock = clock

    async def post(
        self, route: str, body: Mapping[str, Any] | None = None, *, token: str | None = None
    ) -> httpx.Response:
        return await self.http.post(f"/api/v1/auth/{route}", json=body, headers=_bearer(token))

    async def get(self, route: str, *, token: str | None = None) -> httpx.Response:
        return await self.http.get(f"/api/v1/auth/{route}", headers=_bearer(token))

    async def delete(self, route: str, *, token: str | None = None) -> httpx.Response:
        return await self.http.delete(f"/api/v1/auth/{route}", headers=_bearer(token))

    async def register(self, email: str = "ada@example.org", **changes: Any) -> httpx.Response:
        body = {"email": email, "password": PASSWORD, "display_name": "Ada"}
        return await self.post("register", body | changes)

    async def login(
        self, email: str = "ada@example.org", *, password: str = PASSWORD
    ) -> httpx.Response:
        return await self.post("login", {"email": email, "password": password})

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.post("refresh", {"refresh_token": refresh_token})


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.fixture
async def sessions(clean_database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_async_engine(clean_database)
    yield sessions_of(engine)
    await engine.dispose()


@pytest.fixture
def settings() -> HttpSettings:
    return HttpSettings(rate_limits=False)


@pytest.fixture
async def client(
    sessions: async_sessionmaker[AsyncSession], settings: HttpSettings
) -> AsyncIterator[Client]:
    clock, ids = ManualClock(NOON), UuidV7Ids()
    hasher = Argon2PasswordHasher(parameters=argon2.profiles.CHEAPEST)
    ports = Ports(
        uow=lambda: PostgresUnitOfWork(sessions, clock=clock, ids=ids),
        identity_views=PostgresIdentityViews(sessions),
        clock=clock,
        password_hasher=hasher,
    )
    app = create_app(ports, settings, routers=[auth.ROUTER])
    async with client_of(app) as http:
        http.headers["User-Agent"] = "Test programme"
        yield Client(http, clock)
    hasher.close()


def data_of(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_who_registers_is_signed_in(client: Client) -> None:
    answer = await client.register("Ada@Example.org", roles=["creator", "store_owner"])

    signed_in = data_of(answer, 201)
    assert signed_in["user"]["email"] == "ada@example.org"
    assert signed_in["user"]["display_name"] == "Ada"
    assert signed_in["user"]["roles"] == ["creator", "store_owner"]
    assert signed_in["expires_in"] == 900
    assert answer.headers["cache-control"] == "no-store"
    me = data_of(await client.get("me", token=signed_in["access_token"]))
    assert me == {"user": signed_in["user"], "creator_id": None, "store_ids": [], "team_ids": []}


async def test_a_taken_address_is_a_conflict(client: Client) -> None:
    await client.register()

    assert refusal(await client.register("ADA@example.org")) == (409, "email_taken")


@pytest.mark.parametrize(
    ("changes", "code", "field_name"),
    [
        ({"email": "not an address"}, "invalid_email", "email"),
        ({"password": "short"}, "body_invalid", "password"),
        ({"password": "password1234"}, "weak_password", "password"),
        ({"password": "x" * 257}, "body_invalid", "password"),
        ({"display_name": "\t"}, "invalid_display_name", "display_name"),
        ({"roles": ["admin"]}, "body_invalid", "roles[0]"),
        ({"is_admin": True}, "body_invalid", "is_admin"),
        ({"password": None}, "body_invalid", "password"),
    ],
)
async def test_what_is_wrong_is_said_by_field(
    client: Client, changes: dict[str, Any], code: str, field_name: str
) -> None:
    answer = await client.register(**changes)

    assert refusal(answer) == (400, code)
    assert field_name in answer.json()["error"]["details"], answer.text


@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "\\udfff\\ud800"])
@pytest.mark.parametrize("route", ["register", "login", "refresh"])
async def test_text_that_no_database_holds_is_refused(
    client: Client, route: str, text: str
) -> None:
    fields = {
        "register": '"email": "ada@example.org", "password": "%s%s", "display_name": "Ada"',
        "login": '"email": "ada@example.org", "password": "%s%s"',
        "refresh": '"refresh_token": "%s%s"',
    }
    body = "{" + fields[route] % (PASSWORD, text) + "}"

    answer = await client.http.post(
        f"/api/v1/auth/{route}", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400


async def test_a_wrong_password_and_a_missing_account_look_alike(client: Client) -> None:
    await client.register()

    wrong = await client.login(password="another otter drums")
    missing = await client.login("nobody@example.org")

    assert refusal(wrong) == (401, "invalid_credentials")
    assert wrong.json() == missing.json()
    assert wrong.headers["www-authenticate"] == "Bearer"


async def test_an_access_token_lasts_a_quarter_of_an_hour(client: Client) -> None:
    token = data_of(await client.register(), 201)["access_token"]
    client.clock.advance(timedelta(minutes=15))

    assert refusal(await client.get("me", token=token)) == (401, "access_token_expired")


async def test_refreshing_replaces_both_tokens(client: Client) -> None:
    first = data_of(await client.register(), 201)
    client.clock.advance(timedelta(minutes=15))

    second = data_of(await client.refresh(first["refresh_token"]))

    assert second["refresh_token"] != first["refresh_token"]
    data_of(await client.get("me", token=second["access_token"]))


async def test_a_refresh_token_used_twice_signs_everybody_out(client: Client) -> None:
    first = data_of(await client.register(), 201)
    second = data_of(await client.refresh(first["refresh_token"]))

    again = await client.refresh(first["refresh_token"])
    after = await client.refresh(second["refresh_token"])

    assert refusal(again) == (401, "refresh_token_reused")
    assert refusal(after) == (401, "refresh_token_invalid")


async def test_devices_are_listed_and_signed_out_one_by_one(client: Client) -> None:
    here = data_of(await client.register(), 201)
    client.clock.advance(timedelta(minutes=1))
    lost = data_of(await client.login())

    listed = data_of(await client.get("sessions", token=here["access_token"]))
    assert [session["current"] for session in listed] == [False, True]
    assert {session["user_agent"] for session in listed} == {"Test programme"}

    ended = await client.delete(f"sessions/{listed[0]['id']}", token=here["access_token"])
    assert ended.status_code == 204
    assert refusal(await client.refresh(lost["refresh_token"])) == (401, "refresh_token_invalid")
    data_of(await client.refresh(here["refresh_token"]))


async def test_another_users_session_is_not_there(client: Client) -> None:
    ada = data_of(await client.register(), 201)
    grace = data_of(await client.register("grace@example.org"), 201)
    (session,) = data_of(await client.get("sessions", token=ada["access_token"]))

    answer = await client.delete(f"sessions/{session['id']}", token=grace["access_token"])

    assert refusal(answer) == (404, "not_found")
    data_of(await client.refresh(ada["refresh_token"]))


async def test_logging_out_stops_refreshes_while_the_access_token_lives_out(
    client: Client,
) -> None:
    signed_in = data_of(await client.register(), 201)

    assert (await client.post("logout", token=signed_in["access_token"])).status_code == 204

    assert refusal(await client.refresh(signed_in["refresh_token"]))[0] == 401
    data_of(await client.get("me", token=signed_in["access_token"]))


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "me"),
        ("GET", "sessions"),
        ("POST", "logout"),
        ("DELETE", "sessions/00000000-0000-0000-0000-000000000001"),
    ],
)
async def test_strangers_have_no_account_to_see(client: Client, method: str, route: str) -> None:
    assert (await client.http.request(method, f"/api/v1/auth/{route}")).status_code == 401


async def test_no_log_line_holds_an_address_or_a_secret(client: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        signed_in = data_of(await client.register(), 201)
        await client.register()
        await client.login(password="another otter drums")
        await client.refresh(signed_in["refresh_token"])

    written = repr(lines)
    assert lines
    assert "ada@example.org" not in written
    assert "otter drums" not in written
    assert signed_in["refresh_token"] not in written


class TestLimits:
    @pytest.fixture
    def settings(self) -> HttpSettings:
        return HttpSettings()

    async def test_the_sixth_guess_in_five_minutes_has_to_wait(self, client: Client) -> None:
        guesses = [await client.login(password=f"otter number {n}") for n in range(6)]

        assert [guess.status_code for guess in guesses] == [401] * 5 + [429]
        assert int(guesses[-1].headers["retry-after"]) > 0

    async def test_an_address_opens_three_accounts_an_hour(self, client: Client) -> None:
        answers = await asyncio.gather(*(client.register(f"u{n}@example.org") for n in range(4)))

        assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 429]

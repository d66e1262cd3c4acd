"""The whole API over real databases, with people in it and one of each thing.

The ports are those of the one composition root. `owner` owns all that `tests.http.estate` makes;
the others own nothing of it, and the administrator may see all of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar

from adapters.memory.payments import MemoryPaymentProvider
from adapters.memory.payout_provider import (
    MemoryBankAccountProvider,
    MemoryBankLinks,
    MemoryBankRail,
    MemoryConnectRail,
    MemoryPayoutWebhooks,
)
from adapters.memory.prompts import MemoryPrompts
from adapters.memory.provider_calls import ProviderCalls
from application.ports.payments import CapturedPayment
from domain.identity.actor import Actor, Role
from domain.ledger.payout_settings import PayoutMethod
from entrypoints.bootstrap import Ports, build_ports
from entrypoints.http.app import create_app
from entrypoints.http.factory import gauges_of
from entrypoints.http.routes.payment_webhooks import short_ways
from entrypoints.http.settings import HttpSettings, Pace
from entrypoints.settings import Settings
from tests import builders
from tests.http import estate
from tests.http.asgi import client_of

API = "/api/v1"
BASE = "http://api.test"
SECRET = "k" * 48
NOWHERE = "http://127.0.0.1:9"
SHORT = Pace(connected_at_most_s=0.1)
"""Streams end soon: a client that reads an answer whole would wait for ever."""

BROWSER = {
    "refresh_url": "https://shop.example/again",
    "return_url": "https://shop.example/back",
}
RETURN = {"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"}


def settings_for(*, database_url: str, redis_url: str, folder: Path, sandbox_url: str) -> Settings:
    return Settings.load(
        {
            "LIKENESS_ENV": "test",
            "LIKENESS_SECRET_KEY": SECRET,
            "LIKENESS_DATA_DIR": str(folder),
            "LIKENESS_DATABASE_URL": database_url,
            "LIKENESS_DATABASE_POOL_SIZE": "5",
            "LIKENESS_REDIS_URL": redis_url,
            "LIKENESS_STORAGE_URL": (folder / "storage").as_uri(),
            "LIKENESS_SANDBOX_URL": sandbox_url,
            "LIKENESS_BASE_URL": BASE,
            "LIKENESS_RATE_LIMITS": "off",
            "LIKENESS_TRAINING_MIN_IMAGES": "1",
            "LIKENESS_TRAINING_CHECKS": "warn",
        }
    )


def described() -> Litestar:
    """The real application without anything behind it: good for its routes and its document."""
    nothing: dict[str, Any] = {field.name: None for field in fields(Ports)}
    ports = Ports(**(nothing | {"health_checks": {}}))
    return create_app(ports, HttpSettings(rate_limits=False, live=SHORT))


@dataclass
class Shop:
    """`provider` is None where the sandbox plays the payment provider."""

    ports: Ports
    http: httpx.AsyncClient
    provider: MemoryPaymentProvider | None
    owner: Actor
    fan: Actor
    other_creator: Actor
    other_store_owner: Actor
    admin: Actor
    staff_elsewhere: Actor
    team_viewer: Actor

    def as_(self, actor: Actor, **headers: str) -> dict[str, str]:
        """Headers of a request by `actor`."""
        token, _ = self.ports.access_tokens.issue(actor, now=self.ports.clock.now())
        return {"Authorization": f"Bearer {token}", **headers}

    async def get(self, path: str, *, by: Actor | None = None) -> httpx.Response:
        return await self.http.get(API + path, headers=self.as_(by) if by else {})

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: Actor | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        headers = self.as_(by) if by else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is None:
            return await self.http.request(method, API + path, headers=headers)
        return await self.http.request(method, API + path, json=body, headers=headers)

    async def post(
        self, path: str, body: object = None, *, by: Actor | None = None, key: str | None = None
    ) -> httpx.Response:
        return await self.send("POST", path, body, by=by, key=key)

    async def pay(self, session_id: str) -> CapturedPayment:
        """The buyer pays at the provider; nothing has told us yet."""
        assert self.provider is not None
        self.provider.payments.pay(session_id)
        state = await self.provider.payments.checkout_state(session_id)
        assert state.captured is not None
        return state.captured


@dataclass(frozen=True)
class Door:
    """The API with nobody in it yet. `provider` is None where the sandbox plays it."""

    ports: Ports
    http: httpx.AsyncClient
    provider: MemoryPaymentProvider | None


@asynccontextmanager
async def open_door(
    database_url: str, redis_url: str, folder: Path, *, sandbox_url: str | None = None
) -> AsyncIterator[Door]:
    """Without a sandbox's address the payment provider is the one in memory."""
    ports, provider = ports_for(database_url, redis_url, folder, sandbox_url=sandbox_url)
    app = create_app(
        ports,
        HttpSettings(rate_limits=False, live=SHORT),
        gauges=gauges_of(ports),
        short_ways=short_ways(ports.inbox, ports.payment_webhooks),
    )
    async with client_of(app, base_url=BASE) as http:
        yield Door(ports, http, provider)
    await ports.aclose()


def ports_for(
    database_url: str, redis_url: str, folder: Path, *, sandbox_url: str | None
) -> tuple[Ports, MemoryPaymentProvider | None]:
    settings = settings_for(
        database_url=database_url,
        redis_url=redis_url,
        folder=folder,
        sandbox_url=sandbox_url or NOWHERE,
    )
    ports = build_ports(settings)
    if sandbox_url is not None:
        return ports, None
    provider = MemoryPaymentProvider(ports.clock)
    ports = replace(
        with_banks(ports, provider),
        payments=provider.payments,
        billing=provider.billing,
        payee_accounts=provider.accounts,
        payment_webhooks=provider.webhooks,
        provider_books=provider.books,
        prompt_enhancer=MemoryPrompts(),
    )
    return ports, provider


def with_banks(ports: Ports, provider: MemoryPaymentProvider) -> Ports:
    """The providers of payouts and bank accounts in memory too."""
    calls = ProviderCalls(ports.clock)
    accounts = MemoryBankAccountProvider(calls)
    return replace(
        ports,
        payout_rails={
            PayoutMethod.BANK: MemoryBankRail(calls, accounts=accounts),
            PayoutMethod.CONNECT: MemoryConnectRail(
                calls, clock=ports.clock, accounts=provider.accounts
            ),
        },
        payout_webhooks=MemoryPayoutWebhooks(ports.clock),
        bank_accounts_provider=accounts,
        bank_links=MemoryBankLinks(ports.clock, calls=calls, accounts=accounts),
    )


async def people_in(door: Door) -> Shop:
    """Commit everybody and what they own, over a database that is clean."""
    everything = frozenset({Role.FAN, Role.CREATOR, Role.STORE_OWNER})
    people = {
        "owner": builders.user(id=estate.OWNER, roles=everything),
        "fan": builders.user(roles=frozenset({Role.FAN})),
        "other_creator": builders.user(roles=frozenset({Role.FAN, Role.CREATOR})),
        "other_store_owner": builders.user(roles=frozenset({Role.FAN, Role.STORE_OWNER})),
        "admin": builders.user(roles=frozenset({Role.ADMIN})),
        "staff_elsewhere": builders.user(roles=frozenset({Role.FAN})),
        "team_viewer": builders.user(roles=frozenset({Role.FAN})),
    }
    await estate.furnish(door.ports, people)
    actors = {name: Actor(user.id, user.roles) for name, user in people.items()}
    actors["owner"] = replace(actors["owner"], session_id=estate.SESSION)
    return Shop(door.ports, door.http, door.provider, **actors)


def data_of(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]

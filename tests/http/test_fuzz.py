"""Nothing that fits an HTTP request is answered by a fault, or by what the document does not say.

Requests are made from the OpenAPI document, right ones and wrong ones, against the composition
that serves customers: PostgreSQL, Redis, and the sandbox for the providers. Half of the ids that
are sent name what the caller owns. `LIKENESS_FUZZ_EXAMPLES=300` looks longer.
"""

import asyncio
import base64
import hmac
import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.config import (
    ChecksConfig,
    NotAServerErrorConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from adapters.filesystem.links import SignedLinks
from adapters.memory.system import ManualClock
from domain.identity.actor import Role
from domain.ledger.bank_account import HolderName
from domain.ledger.effects import Part, sale
from domain.ledger.payout_settings import PayoutMethod, PayoutSettings
from domain.ledger.posting import Account
from domain.ordering.refund import LineRefund, Refund, RefundStatus
from domain.shared.money import Currency
from entrypoints.http.docs import document_of
from tests.http import estate
from tests.http.shop import BASE, SECRET, Door, Shop, described, open_door, people_in
from tests.sandbox.server import Sandbox, running_sandbox

EXAMPLES = int(os.environ.get("LIKENESS_FUZZ_EXAMPLES", "15"))

EXCLUDED: list[Any] = [
    # A well-formed request may be refused by a rule: a slug that is taken, a licence that says no.
    positive_data_acceptance,
    # Sends the request by a transport of its own; test_authorisation.py asks it of every route.
    ignored_auth,
]
REFUND = estate.known(0x48)
EXPECTED = ["2xx", "3xx", "4xx"]
"""No 5xx, also not the documented 502 and 503: every provider answers here."""

OWNED: dict[str, list[UUID]] = {
    "creator_id": [estate.CREATOR],
    "creator": [estate.CREATOR],
    "store_id": [estate.STORE],
    "store": [estate.STORE],
    "payee_id": [estate.CREATOR, estate.STORE],
    "product_id": [estate.PRODUCT, estate.DRAFT],
    "order_id": [estate.ORDER, estate.UNPAID_ORDER],
    "invoice_id": [estate.INVOICE],
    "credit_note_id": [estate.CREDIT_NOTE],
    "account_id": [estate.CREATORS_ACCOUNT, estate.STORES_ACCOUNT],
    "payout_id": [estate.CREATORS_PAYOUT, estate.STORES_PAYOUT],
    "refund_id": [REFUND],
    "dispute_id": [estate.DISPUTE],
    "discount_id": [estate.DISCOUNT],
    "team_id": [estate.TEAM],
    "membership_id": [estate.VIEWERS_MEMBERSHIP],
    "member_id": [estate.STAFF],
    "message_id": [estate.PARKED],
    "run_id": [estate.RECONCILIATION],
    "difference_id": [estate.DIFFERENCE],
    "line_id": [estate.LINE],
    "generation_id": [estate.GENERATION, estate.RUNNING, estate.CANCELLED],
    "asset_id": [estate.PICTURE, estate.SPARE_PICTURE],
    "asset_ids": [estate.TRAINING_IMAGE],
    "scene_asset_id": [estate.SCENE],
    "model_id": [estate.MODEL],
    "consent_id": [estate.CONSENT],
    "terms_id": [estate.TERMS],
    "session_id": [estate.SESSION],
    "grant_id": [estate.GRANT],
    "approval_id": [estate.APPROVAL],
    "export_id": [estate.EXPORT],
    "project_id": [estate.PROJECT, estate.TEAMS_PROJECT],
    "character_id": [estate.CHARACTER],
    "template_id": [estate.TEMPLATE, estate.SHOWN],
    "preset_id": [estate.PRESET],
    "work_id": [estate.SHOWN, estate.WAITING],
    "driving_asset_id": [estate.DRIVING_VIDEO],
    "upload_id": [estate.UPLOAD],
}
WORDS: dict[str, list[Any]] = {
    "email": ["new@example.com"],
    "password": ["a phrase long enough"],
    "text_version": ["2026-11"],
    "text_sha256": [None],
    "adult": [True],
    "purpose": ["personal", "commercial"],
    "currency": ["usd"],
    "amount_cents": [None, 100, 2500],
    "success_url": ["https://shop.example/ok"],
    "cancel_url": ["https://shop.example/no"],
}
"""What chance would rarely find, and a rule asks for."""
CHANNELS: list[Any] = [f"job:{estate.RUNNING}", "generations", "orders"]
ANY_KEY = re.compile(r"[ -~]{1,200}")


def _link() -> dict[str, list[Any]]:
    """A link to the file there is; the secret is known, so it can be signed beforehand."""
    signer = SignedLinks(
        base_url="", secrets=[SECRET.encode()], clock=ManualClock(datetime(2090, 1, 1, tzinfo=UTC))
    )
    url = signer.sign(estate.FILE, expires_in=timedelta(days=1), download_name=None)
    query = dict(parse_qsl(urlsplit(url).query))
    return {
        "key": [estate.FILE],
        "expires": [int(query["expires"])],
        "signature": [query["signature"]],
    }


def _document() -> dict[str, Any]:
    """The API's document, in which what is there is likelier than what chance would make."""
    document: dict[str, Any] = json.loads(document_of(described()))
    likely: dict[str, list[Any]] = {name: [str(i) for i in ids] for name, ids in OWNED.items()}
    for path, item in document["paths"].items():
        named = likely | {"slug": [estate.SLUG], "version": [1], "channel": CHANNELS}
        if path.startswith("/api/v1/files/"):
            named = _link()
        for operation in item.values():
            operation["security"] = []  # tokens are sent by the test, never made up
            for parameter in operation.get("parameters", ()):
                if values := named.get(parameter.get("name")):
                    parameter["schema"] = _rather(values, parameter["schema"])
    for described_type in document["components"]["schemas"].values():
        members = described_type.get("properties", {})
        for name, values in (likely | WORDS).items():
            if members.get(name, {}).get("type") == "array":
                members[name]["items"] = _rather(values, members[name]["items"])
            elif name in members:
                members[name] = _rather(values, members[name])
    return document


def _rather(values: list[Any], described_type: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"enum": values}, described_type]}


schema = schemathesis.openapi.from_dict(
    _document(),
    config=SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(
                checks=ChecksConfig(
                    not_a_server_error=NotAServerErrorConfig(expected_statuses=EXPECTED)
                )
            )
        )
    ),
)


class Caller:
    """Sends made requests to the application, in the loop that its connections belong to."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._loop = asyncio.get_running_loop()
        self._sent = 0
        self._everything = replace(shop.owner, roles=frozenset(Role))

    @property
    def as_owner_of_all(self) -> dict[str, str]:
        """Every role at once, the administrator's included."""
        return self._shop.as_(self._everything)

    def check(self, case: schemathesis.Case[Any], headers: dict[str, str]) -> None:
        made = case.as_transport_kwargs(base_url=BASE, headers=headers)
        self._sent += 1
        if ANY_KEY.fullmatch(key := made["headers"].get("Idempotency-Key", "")):
            made["headers"]["Idempotency-Key"] = f"{key}{self._sent}"  # or it would be a replay
        answer = self._loop.run_until_complete(self._send(requests.Request(**made).prepare()))
        excluded = EXCLUDED + ([negative_data_rejection] if _reads_as_valid(case) else [])
        case.validate_response(answer, excluded_checks=excluded, headers=headers)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return self._loop.run_until_complete(
            self._shop.http.post(path, content=body, headers=headers)
        )

    async def _send(self, made: requests.PreparedRequest) -> httpx.Response:
        assert made.method is not None
        assert made.url is not None
        headers = [(_bytes(name), _bytes(value)) for name, value in made.headers.items()]
        assert made.body is None or isinstance(made.body, (str, bytes))
        request = httpx.Request(made.method, made.url, headers=headers, content=made.body)
        return await self._shop.http.send(request)


def _reads_as_valid(case: schemathesis.Case[Any]) -> bool:
    """In a query all is text: what is empty is an empty text, and 0.0 is a whole number."""
    return any(
        value in ({}, [], "") or (isinstance(value, float) and value.is_integer())
        for value in (case.query or {}).values()
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(scope="module")
async def door(
    sandbox: Sandbox,
    database_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Door]:
    folder = tmp_path_factory.mktemp("fuzz")
    async with open_door(database_url, redis_url, folder, sandbox_url=sandbox.url) as opened:
        yield opened


@pytest.fixture
async def caller(door: Door, clean_database: str, clean_redis: str) -> Caller:
    shop = await people_in(door)
    await _earned(shop)
    return Caller(shop)


async def _earned(shop: Shop) -> None:
    """Money to withdraw, a bank account that takes it, and a refund that the bank sent back."""
    ports, now = shop.ports, shop.ports.clock.now()
    async with (uow := ports.uow()):
        for payee_id in (estate.CREATOR, estate.STORE):
            parts = [Part(Account.PAYABLE_AVAILABLE, payee_id, 500_000)]
            posting = sale(
                charge_id=f"ch_{payee_id}",
                order_id=estate.ORDER,
                currency=Currency("usd"),
                parts=parts,
                at=now,
            )
            await uow.ledger.post([posting])
        account = await uow.bank_accounts.get(estate.STORES_ACCOUNT, lock=True)
        account.holder_name = HolderName.MATCHES
        uow.payout_settings.add(PayoutSettings(id=estate.STORE, method=PayoutMethod.BANK))
        uow.refunds.add(
            Refund(
                id=REFUND,
                request_key="returned",
                order_id=estate.ORDER,
                amount_cents=100,
                currency=Currency("usd"),
                reason="other",
                lines=(LineRefund(estate.LINE, 100),),
                status=RefundStatus.RETURNED,
                requested_by=estate.OWNER,
                created_at=now,
                ended_at=now,
            )
        )
        await uow.commit()


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_who_owns_things_is_answered_as_documented(
    case: schemathesis.Case[Any], caller: Caller
) -> None:
    caller.check(case, caller.as_owner_of_all)


@schema.parametrize()
@settings(
    max_examples=max(1, EXAMPLES // 5), deadline=None, suppress_health_check=list(HealthCheck)
)
def test_a_stranger_is_answered_as_documented(case: schemathesis.Case[Any], caller: Caller) -> None:
    caller.check(case, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON | st.just("evt_1"),
        "object": JSON | st.just("event"),
        "type": JSON | st.sampled_from(["charge.succeeded", "account.updated", "refund.failed"]),
        "account": JSON,
        "data": JSON | st.fixed_dictionaries({"object": JSON}),
    },
)


@settings(max_examples=EXAMPLES * 4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=(EVENT | JSON).map(lambda event: json.dumps(event).encode()) | st.binary(),
    to=st.sampled_from(
        [
            ("stripe", b"whsec_sandbox"),
            ("stripe-connect", b"whsec_sandbox_connect"),
            ("payout", b"sandbox-flowpay-secret"),
        ]
    ),
)
def test_an_event_of_any_shape_is_kept_or_refused_though_its_signature_is_right(
    caller: Caller, body: bytes, to: tuple[str, bytes]
) -> None:
    endpoint, secret = to
    at = int(time.time())
    headers = _signed(endpoint, secret, body, at) | {"Content-Type": "application/json"}

    answer = caller.post(f"/api/v1/webhooks/{endpoint}", body, headers)

    assert answer.status_code in (200, 400), answer.text


def _signed(endpoint: str, secret: bytes, body: bytes, at: int) -> dict[str, str]:
    if endpoint == "payout":
        digest = hmac.digest(secret, f"msg_1.{at}.".encode() + body, "sha256")
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {
            "Webhook-Id": "msg_1",
            "Webhook-Timestamp": str(at),
            "Webhook-Signature": signature,
        }
    signature = hmac.digest(secret, f"{at}.".encode() + body, "sha256").hex()
    return {"Stripe-Signature": f"t={at},v1={signature}"}

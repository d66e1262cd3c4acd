"""Whoever calls too often is told when to come back; an outage of the counters harms nobody."""

import httpx
import pytest

from adapters.memory.rate_limits import MemoryRateLimits
from adapters.memory.system import ManualClock
from application.ports.errors import Unavailable
from application.ports.rate_limits import Allowance, RateLimit
from entrypoints.http.rate_limiting import GROUPS, limited
from tests.http.platform.conftest import Api, Ports, serving

CARDS = "/api/v1/postcards"


async def login(api: Api, email: str, *, address: str | None = None) -> httpx.Response:
    headers = {"X-Forwarded-For": address} if address else {}
    return await api.client.post(f"{CARDS}/login", json={"email": email}, headers=headers)


async def test_every_answer_tells_what_is_left() -> None:
    async with serving(rate_limits=True) as api:
        answer = await api.client.get(CARDS)

    assert answer.headers["ratelimit-limit"] == "600"
    assert answer.headers["ratelimit-remaining"] == "599"
    assert answer.headers["ratelimit-reset"] == "60"


async def test_the_sixth_sign_in_from_one_address_must_wait() -> None:
    async with serving(rate_limits=True) as api:
        answers = [await login(api, f"{number}@example.com") for number in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    refused = answers[-1]
    assert refused.headers["retry-after"] == "300"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.json()["error"]["retry_after"] == 300


async def test_guesses_at_one_account_from_many_addresses_are_counted_together() -> None:
    async with serving(rate_limits=True, trusted_proxies=("203.0.113.0/24",)) as api:
        answers = [
            await login(api, " Ada@Example.com "[number % 2 :], address=f"198.51.100.{number}")
            for number in range(6)
        ]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


async def test_users_behind_one_address_do_not_disturb_each_other() -> None:
    clock = ManualClock()
    counters = MemoryRateLimits(clock=clock)
    async with serving(rate_limits=True, ports=Ports(rate_limits=counters)) as api:
        for _ in range(GROUPS["default"].permits):
            await counters.take(GROUPS["default"], "user:00000000-0000-0000-0000-000000000ada")

        assert (await api.client.get(CARDS, headers=api.as_ada)).status_code == 429
        assert (await api.client.get(CARDS, headers=api.as_ben)).status_code == 200
        assert (await api.client.get(CARDS)).status_code == 200


async def test_a_header_that_anybody_may_write_gives_no_new_permits() -> None:
    async with serving(rate_limits=True) as api:
        answers = [
            await login(api, f"{number}@example.com", address=f"198.51.100.{number}")
            for number in range(6)
        ]

    assert answers[-1].status_code == 429


async def test_health_and_metrics_are_not_limited() -> None:
    async with serving(rate_limits=True) as api:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert "ratelimit-limit" not in (await api.client.get(path)).headers


class BrokenCounters:
    asked = 0

    async def take(self, limit: RateLimit, subject: str) -> Allowance:
        self.asked += 1
        raise Unavailable("refused", provider="redis")


async def test_without_counters_everything_is_allowed_and_they_are_left_in_peace() -> None:
    counters = BrokenCounters()
    async with serving(rate_limits=True, ports=Ports(rate_limits=counters)) as api:
        answers = [await login(api, "ada@example.com") for _ in range(10)]
        exposition = (await api.client.get("/metrics")).text

    assert {answer.status_code for answer in answers} == {200}
    assert counters.asked == 1
    assert "rate_limits_skipped_total" in exposition


async def test_limits_can_be_switched_off() -> None:
    async with serving(rate_limits=False) as api:
        answers = [await login(api, "ada@example.com") for _ in range(7)]

    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"email": 5}', b"\xff"])
async def test_a_body_without_an_account_counts_by_address_alone(body: bytes) -> None:
    async with serving(rate_limits=True) as api:
        answer = await api.client.post(
            f"{CARDS}/login", content=body, headers={"Content-Type": "application/json"}
        )

    assert answer.status_code == 400


def test_a_group_that_does_not_exist_is_noticed_at_once() -> None:
    with pytest.raises(KeyError):
        limited("no such group")

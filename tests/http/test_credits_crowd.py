"""Many requests at once over HTTP, against one wallet in PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from domain.licensing.terms import Capability
from tests import builders
from tests.http.studio import House, open_house

GENERATIONS = "/api/v1/generations"
AT_ONCE = 200
AFFORDABLE = 10
TEN_CREDITS = {"kind": "model_3d", "prompt": "at a harbour"}
"""What it costs: an image for two, and a mesh for eight. The free plan grants 100 a day."""
TWO_CREDITS = {"kind": "image", "prompt": "at a harbour"}


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    licence = builders.terms(capabilities=frozenset(Capability))
    async with open_house(clean_database, tmp_path, licence=licence) as opened:
        await opened.world.with_model()
        yield opened


async def at_once(house: House, number: int, wish: dict[str, str]) -> list[httpx.Response]:
    body = {"creator_id": str(house.world.market.creator.id), **wish}
    headers = house.as_fan
    asked = (house.http.post(GENERATIONS, json=body, headers=headers) for _ in range(number))
    return list(await asyncio.gather(*asked))


async def rows(house: House, query: str) -> list[tuple[Any, ...]]:
    async with house.world.sessions() as session:
        found = await session.execute(text(query), {"fan": house.world.fan.user_id})
        return [tuple(row) for row in found]


def outcomes(answers: list[httpx.Response]) -> Counter[tuple[int, str]]:
    return Counter(
        (answer.status_code, answer.json().get("error", {}).get("code", "")) for answer in answers
    )


async def test_two_hundred_at_once_with_credit_for_ten_start_exactly_ten(house: House) -> None:
    answers = await at_once(house, AT_ONCE, TEN_CREDITS)

    assert outcomes(answers) == {
        (202, ""): AFFORDABLE,
        (422, "credits_exhausted"): AT_ONCE - AFFORDABLE,
    }
    started = {answer.json()["data"]["id"] for answer in answers if answer.status_code == 202}
    jobs = await rows(house, "SELECT id::text, status FROM jobs WHERE owner_id = :fan")
    assert {(job, "reserved") for job in started} == set(jobs)
    assert await rows(
        house, "SELECT daily, bought, held FROM credit_wallets WHERE user_id = :fan"
    ) == [(0, 0, 100)]
    assert await rows(
        house,
        "SELECT count(*), sum(daily + bought)::int FROM credit_holds"
        " WHERE user_id = :fan AND closed_at IS NULL",
    ) == [(AFFORDABLE, 100)]
    assert await rows(
        house,
        "SELECT kind, count(*), sum(daily + bought)::int, sum(held)::int FROM credit_entries"
        " WHERE user_id = :fan GROUP BY kind ORDER BY kind",
    ) == [("grant", 1, 100, 0), ("reserve", AFFORDABLE, -100, 100)]
    assert await rows(house, "SELECT jobs, credits FROM studio_use WHERE user_id = :fan") == [
        (AFFORDABLE, 0)
    ]


async def test_what_was_refused_leaves_nothing_behind(house: House) -> None:
    """No job, no generation, no step, no message; the decision of the licence is with the job."""
    before = await rows(house, "SELECT count(*) FROM outbox_messages")
    await at_once(house, AFFORDABLE, TEN_CREDITS)
    accepted = await rows(house, "SELECT count(*) FROM outbox_messages")
    await at_once(house, AFFORDABLE, TEN_CREDITS)

    assert accepted == [(before[0][0] + AFFORDABLE,)]
    assert await rows(house, "SELECT count(*) FROM outbox_messages") == accepted
    for table in ("generations", "jobs"):
        found = await rows(house, f"SELECT count(*) FROM {table} WHERE owner_id = :fan")
        assert found == [(AFFORDABLE,)]


async def test_a_hundred_requests_on_a_new_day_bring_its_grant_once(house: House) -> None:
    """And what was left of the day before lapses once."""
    assert outcomes(await at_once(house, 1, TWO_CREDITS)) == {(202, ""): 1}
    house.world.clock.advance(timedelta(days=1))

    answers = await at_once(house, 100, TWO_CREDITS)

    assert outcomes(answers) == {(202, ""): 50, (422, "credits_exhausted"): 50}
    entries = await rows(
        house,
        "SELECT kind, day::text, daily FROM credit_entries"
        " WHERE user_id = :fan AND kind IN ('grant', 'expire') ORDER BY number",
    )
    today = house.world.clock.now().date()
    yesterday = today - timedelta(days=1)
    assert entries == [
        ("grant", str(yesterday), 100),
        ("expire", str(yesterday), -98),
        ("grant", str(today), 100),
    ]
    assert await rows(
        house, "SELECT daily, bought, held FROM credit_wallets WHERE user_id = :fan"
    ) == [(0, 0, 102)]

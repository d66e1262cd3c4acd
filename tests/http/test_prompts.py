"""Prompts made richer over HTTP: a proposal, and the creator's word on what it says."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from adapters.memory.prompts import MemoryPrompts
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from tests import builders
from tests.http.studio import House, data_of, open_house, refusal

ENHANCE = "/api/v1/prompts/enhance"


@pytest.fixture
async def house(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(clean_database, tmp_path) as opened:
        yield opened


def writer(house: House) -> MemoryPrompts:
    enhancer = house.ports.prompt_enhancer
    assert enhancer is not None
    return enhancer


async def enhance(house: House, prompt: str = "at a harbour", **changes: object) -> httpx.Response:
    body = {"creator_id": str(house.world.market.creator.id), "prompt": prompt, **changes}
    return await house.http.post(ENHANCE, json=body, headers=house.as_fan)


async def test_a_prompt_is_made_richer(house: House) -> None:
    told = data_of(await enhance(house, style="film noir"))
    assert told == {
        "prompt": "at a harbour",
        "enhanced": "at a harbour, film noir, soft morning light, 85 mm lens",
    }


@pytest.mark.parametrize("wish", [{"prompt": "a n.u.d.e"}, {"style": "hentai"}])
async def test_what_may_not_be_said_is_not_even_asked(house: House, wish: dict[str, str]) -> None:
    assert refusal(await enhance(house, **wish)) == (422, "text_refused")
    assert writer(house).wishes == []


async def test_a_model_that_says_what_may_not_be_said_is_refused_and_nobody_else_is(
    house: House,
) -> None:
    writer(house).added = "a nude teen"
    refused = await enhance(house)
    assert refusal(refused) == (422, "text_refused")
    assert refused.json()["error"]["details"] == {"enhanced": ["minor_safety", "sexual"]}
    async with house.world.uow() as uow:
        assert list(await uow.strikes.of_user(house.world.fan.user_id)) == []


@pytest.fixture
async def strict(clean_database: str, tmp_path: Path) -> AsyncIterator[House]:
    """A creator who blocks words: one of ours, and one that the language model likes."""
    licence = builders.terms(blocked_keywords=("harbour", "lens"))
    async with open_house(clean_database, tmp_path, licence=licence) as opened:
        yield opened


@pytest.mark.parametrize("wish", [{}, {"prompt": "at sea", "style": "harbour"}])
async def test_what_the_creator_blocks_is_not_even_asked(
    strict: House, wish: dict[str, str]
) -> None:
    assert refusal(await enhance(strict, **wish)) == (422, "licence_refused")
    assert writer(strict).wishes == []


async def test_a_model_cannot_put_in_what_the_creator_blocks(strict: House) -> None:
    answer = await enhance(strict, "at sea")
    assert refusal(answer) == (422, "licence_refused")
    assert len(writer(strict).wishes) == 1
    assert "lens" in answer.text


async def test_an_unknown_creator(house: House) -> None:
    assert refusal(await enhance(house, creator_id=str(uuid4()))) == (404, "not_found")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Rejected("no", provider="memory", reason="content_refused"), 422, "prompt_declined"),
        (Rejected("no", provider="memory", reason="http_401"), 502, "provider_rejected"),
        (Unavailable("busy", provider="memory"), 503, "provider_unavailable"),
        (OutcomeUnknown("?", provider="memory"), 502, "provider_outcome_unknown"),
    ],
)
async def test_how_a_language_model_fails(
    house: House, error: Rejected | Unavailable | OutcomeUnknown, status: int, code: str
) -> None:
    writer(house).fail_next(error)
    assert refusal(await enhance(house)) == (status, code)


async def test_a_repeated_request_is_answered_the_same_and_asked_once(house: House) -> None:
    body = {"creator_id": str(house.world.market.creator.id), "prompt": "at a harbour"}
    headers = house.as_fan | {"Idempotency-Key": "one"}
    answers = [await house.http.post(ENHANCE, json=body, headers=headers) for _ in range(2)]
    assert data_of(answers[0]) == data_of(answers[1])
    assert len(writer(house).wishes) == 1

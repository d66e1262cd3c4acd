"""Every answer has one shape, and lists come in pages."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from entrypoints.http.paging import CursorInvalid, read_cursor, write_cursor
from tests.http.platform.conftest import Api

CARDS = "/api/v1/postcards"


async def send_cards(api: Api, count: int) -> None:
    for number in range(count):
        answer = await api.client.post(CARDS, json={"text": f"card {number}"}, headers=api.as_ada)
        assert answer.status_code == 201, answer.text


async def test_a_result_stands_under_data(api: Api) -> None:
    answer = await api.client.post(CARDS, json={"text": "hello"}, headers=api.as_ada)

    assert answer.status_code == 201
    assert answer.json() == {
        "data": {
            "id": str(UUID(int=1)),
            "text": "hello",
            "sent_at": "2026-03-01T12:00:00Z",
        },
        "meta": {},
    }


async def test_following_the_cursor_shows_every_row_once(api: Api) -> None:
    await send_cards(api, 5)
    shown: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await api.client.get(CARDS, params=query)).json()
        shown += [card["text"] for card in page["data"]]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if cursor is None:
            break

    assert shown == [f"card {number}" for number in range(5)]


async def test_a_counted_page_tells_how_many_there_are(api: Api) -> None:
    await send_cards(api, 5)
    page = (await api.client.get(f"{CARDS}/counted?page=2&limit=2")).json()

    assert [card["text"] for card in page["data"]] == ["card 2", "card 3"]
    assert page["meta"] == {"pagination": {"page": 2, "limit": 2, "total": 5, "total_pages": 3}}


@pytest.mark.parametrize("cursor", ["", "%%%", "e30", "WyJcdTAwMDAiXQ", "ü", "W10" * 100])
async def test_a_made_up_cursor_is_refused(api: Api, cursor: str) -> None:
    answer = await api.client.get(CARDS, params={"cursor": cursor})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "cursor_invalid"
    assert "cursor" in answer.json()["error"]["details"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "9" * 30])
async def test_a_page_has_1_to_100_rows(api: Api, limit: str) -> None:
    answer = await api.client.get(CARDS, params={"limit": limit})

    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == ["limit"]


def test_a_cursor_brings_the_key_back() -> None:
    key = (datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC), UUID(int=9))

    assert read_cursor(write_cursor(key), tuple[datetime, UUID]) == key


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(write_cursor((1, "x")), tuple[datetime, UUID])

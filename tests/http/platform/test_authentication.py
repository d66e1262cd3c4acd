"""Who is asking decides what is answered, before anything about the body does."""

import pytest

from tests.http.platform.conftest import Api

CARDS = "/api/v1/postcards"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "unauthenticated"),
        ("", "unauthenticated"),
        ("Bearer", "unauthenticated"),
        ("Basic YWRhOmFkYQ==", "unauthenticated"),
        ("Bearer nobody", "access_token_invalid"),
        ("Bearer expired", "access_token_expired"),
        ("bearer \xff", "access_token_invalid"),
    ],
)
async def test_a_stranger_is_sent_to_sign_in(
    api: Api, authorization: str | None, code: str
) -> None:
    sent = b"" if authorization is None else authorization.encode("latin-1")
    headers = [] if authorization is None else [(b"Authorization", sent)]
    answer = await api.client.post(CARDS, content=b"not even JSON", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == code


async def test_the_scheme_is_not_case_sensitive(api: Api) -> None:
    headers = {"Authorization": "bearer ada"}
    answer = await api.client.post(CARDS, json={"text": "hi"}, headers=headers)

    assert answer.status_code == 201


async def test_a_route_for_all_serves_strangers(api: Api) -> None:
    sent = await api.client.post(CARDS, json={"text": "hi"}, headers=api.as_ada)
    answer = await api.client.get(f"{CARDS}/{sent.json()['data']['id']}")

    assert answer.status_code == 200


async def test_a_route_for_all_tells_an_expired_token_from_none(api: Api) -> None:
    headers = {"Authorization": "Bearer expired"}
    answer = await api.client.get(f"{CARDS}/00000000-0000-0000-0000-000000000001", headers=headers)

    assert answer.status_code == 401


async def test_a_route_that_does_not_ask_ignores_the_token(api: Api) -> None:
    answer = await api.client.get(CARDS, headers={"Authorization": "Bearer expired"})

    assert answer.status_code == 200

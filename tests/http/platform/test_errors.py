"""Every refusal has one shape and a stable code, and nothing that a client sends is a 500."""

from typing import Any

import pytest
from sqlalchemy import BigInteger, ColumnElement, Text, cast, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from application.ports.errors import Rejected
from domain.shared.errors import Conflict, Gone, LikenessError, NotFound, RuleRefused
from entrypoints.http.errors import describe, errors, status_of
from tests.http.platform.conftest import Api, serving
from tests.http.platform.example import PostcardFull

CARDS = "/api/v1/postcards"
HTTP_STATUS_OF = {NotFound: 404, Conflict: 409, Gone: 410, RuleRefused: 422, Rejected: 502}


async def refused(
    api: Api, method: str, path: str, **options: Any
) -> tuple[int, dict[str, object]]:
    answer = await api.client.request(method, path, **options)
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details", "retry_after", "reasons"}
    return answer.status_code, error


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "text", "is required"),
        ({"text": ""}, "text", "Expected `str` of length >= 1"),
        ({"text": "x", "copies": "2"}, "copies", "Expected `int`, got `str`"),
        ({"text": "x", "copies": 11}, "copies", "Expected `int` <= 10"),
        ({"text": "x", "surprise": 1}, "surprise", "is not taken here"),
        ({"text": "x", "tags": {"a": 1}}, "tags[...]", "Expected `str`, got `int`"),
        ([], "body", "Expected `object`, got `array`"),
        ({"text": "nul \0 inside"}, "text", "must not contain the character NUL"),
        ({"text": "x", "tags": {"a": "\0"}}, "tags.a", "must not contain the character NUL"),
        ({"text": "x", "copies": 2**70}, "copies", "Expected `int` <= 10"),
    ],
)
async def test_a_bad_body_is_a_400_that_names_the_field(
    api: Api, body: object, field: str, message: str
) -> None:
    status, error = await refused(api, "POST", CARDS, json=body, headers=api.as_ada)

    assert (status, error["code"]) == (400, "body_invalid")
    assert error["details"] == {field: [message]}


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"\xff\xfe", b'{"text": "\\ud800"}', b'{"text":' + b"[" * 5000, b"nil", b'"\x00"'],
)
async def test_a_malformed_body_is_a_400(api: Api, body: bytes) -> None:
    headers = {**api.as_ada, "Content-Type": "application/json"}
    status, _ = await refused(api, "POST", CARDS, content=body, headers=headers)

    assert status == 400


async def test_a_body_may_hold_what_only_looks_dangerous(api: Api) -> None:
    text = r"a \u0000 as text, 12345678901234567890 as text, and 😀"
    answer = await api.client.post(CARDS, json={"text": text}, headers=api.as_ada)

    assert answer.json()["data"]["text"] == text


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "multipart/form-data"])
async def test_another_media_type_is_a_415(api: Api, media_type: str) -> None:
    headers = {**api.as_ada, "Content-Type": media_type}
    status, error = await refused(api, "POST", CARDS, content=b"{}", headers=headers)

    assert (status, error["code"]) == (415, "unsupported_media_type")


async def test_a_charset_beside_the_media_type_is_fine(api: Api) -> None:
    headers = {**api.as_ada, "Content-Type": "application/json; charset=utf-8"}
    answer = await api.client.post(CARDS, content=b'{"text": "x"}', headers=headers)

    assert answer.status_code == 201


async def test_a_large_body_is_a_413() -> None:
    async with serving(max_body_bytes=1_000) as api:
        body = {"text": "x" * 2_000}
        status, error = await refused(api, "POST", CARDS, json=body, headers=api.as_ada)

    assert (status, error["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api/v1/postcards/not-a-uuid",
        "/api/v1/postcards/00000000-0000-0000-0000-000000000001",
        "/api/v1/postcards/broken/%00",
        "/api/v1/postcards/broken/%00/deeper",
    ],
)
async def test_what_does_not_exist_is_a_404(api: Api, path: str) -> None:
    status, error = await refused(api, "GET", path)

    assert (status, error["code"]) == (404, "not_found")


async def test_another_method_is_a_405_that_names_the_right_ones(api: Api) -> None:
    answer = await api.client.put(CARDS, json={})

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST", "OPTIONS"}
    assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_options_names_every_method_of_an_address(api: Api) -> None:
    answer = await api.client.options(CARDS)

    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, OPTIONS, POST"


async def test_a_nul_in_the_query_is_a_400(api: Api) -> None:
    status, error = await refused(api, "GET", f"{CARDS}?cursor=a%00b")

    assert (status, error["code"]) == (400, "query_invalid")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"garbage"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nhello\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
    ],
)
async def test_a_bad_upload_is_a_400(api: Api, content_type: str, body: bytes) -> None:
    headers = {**api.as_ada, "Content-Type": content_type}
    status, _ = await refused(api, "POST", f"{CARDS}/picture", content=body, headers=headers)

    assert status == 400


async def test_an_upload_may_be_larger_than_other_bodies() -> None:
    async with serving(max_body_bytes=1_000) as api:
        answer = await api.client.post(
            f"{CARDS}/picture",
            files={"file": ("a.png", b"x" * 100_000)},
            headers=api.as_ada,
        )

    assert answer.json() == {"data": 100_000, "meta": {}}


async def test_a_rule_that_says_no_is_a_422(api: Api) -> None:
    body = {"text": "far too much"}
    status, error = await refused(api, "POST", CARDS, json=body, headers=api.as_ada)

    assert (status, error["code"]) == (422, "postcard_full")


@pytest.mark.parametrize(
    ("kind", "status", "code", "retry_after"),
    [
        ("unavailable", 503, "provider_unavailable", 3),
        ("away", 503, "provider_unavailable", 5),
        ("rejected", 502, "provider_rejected", None),
        ("unknown", 502, "provider_outcome_unknown", None),
        ("gone", 410, "gone", None),
        ("conflict", 409, "conflict", None),
        ("defect", 500, "internal_error", None),
    ],
)
async def test_each_kind_of_failure_has_its_answer(
    api: Api, kind: str, status: int, code: str, retry_after: int | None
) -> None:
    answer = await api.client.get(f"{CARDS}/broken/{kind}")

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["retry_after"] == retry_after
    assert answer.headers.get("retry-after") == (str(retry_after) if retry_after else None)
    for secret in ("10.0.0.7", "sk_live", "secret ingredient", "Traceback"):
        assert secret not in answer.text


async def test_a_500_tells_which_request_to_ask_about(api: Api) -> None:
    headers = {"X-Request-Id": "my-request-42"}
    answer = await api.client.get(f"{CARDS}/broken/defect", headers=headers)

    assert "my-request-42" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("family", "status"), HTTP_STATUS_OF.items())
def test_an_error_has_the_status_of_its_family(family: type[LikenessError], status: int) -> None:
    concrete = type("Concrete", (family,), {})

    assert status_of(concrete) == status


async def test_what_the_database_cannot_store_is_a_400(database_url: str) -> None:
    engine = create_async_engine(database_url)
    unstorable: list[ColumnElement[Any]] = [
        cast(literal(2**63, BigInteger), BigInteger),
        cast(literal("nul \0", Text), Text),
        cast(literal("half \ud800", Text), Text),
        cast(literal("2026-13-45", Text), BigInteger),
    ]
    for value in unstorable:
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as raised:
                await connection.execute(select(value))
        assert describe(raised.value)[0] == 400
    await engine.dispose()


async def test_a_defect_in_our_sql_stays_a_500(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as raised:
            await connection.exec_driver_sql("SELECT no_such_column")
    assert describe(raised.value)[0] == 500
    await engine.dispose()


def test_a_route_documents_its_refusals_by_class() -> None:
    documented = errors(PostcardFull, NotFound, 410)

    assert list(documented) == [404, 410, 422]
    assert documented[422].description == "`postcard_full`: The text does not fit on the card."

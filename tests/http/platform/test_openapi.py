"""The document says all that the API does, and the API does nothing that it does not say."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance

from entrypoints.http.app import create_app
from tests.http.platform.conftest import SETTINGS, Api, Ports
from tests.http.platform.example import ROUTER

CARDS = "/api/v1/postcards"


@pytest.fixture
async def document(api: Api) -> dict[str, Any]:
    answer = await api.client.get("/api/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


async def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")


async def test_an_answer_is_described_by_its_real_type(document: dict[str, Any]) -> None:
    answer = document["paths"][CARDS]["post"]["responses"]["201"]
    schemas = document["components"]["schemas"]
    name = answer["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]

    assert name == "PostcardData"
    assert schemas[name]["properties"]["data"] == {"$ref": "#/components/schemas/Postcard"}
    assert "text" in schemas["Postcard"]["properties"]


@pytest.mark.parametrize(
    ("path", "method", "security"),
    [
        (CARDS, "post", [{"bearer": []}]),
        (f"{CARDS}/{{card_id}}", "get", [{}, {"bearer": []}]),
        (CARDS, "get", []),
    ],
)
async def test_who_may_call_follows_from_what_the_handler_takes(
    document: dict[str, Any], path: str, method: str, security: object
) -> None:
    assert document["paths"][path][method]["security"] == security


async def test_the_key_header_is_described_where_it_is_taken(document: dict[str, Any]) -> None:
    def keys(path: str) -> list[dict[str, Any]]:
        return document["paths"][path]["post"].get("parameters", [])  # type: ignore[no-any-return]

    assert keys(CARDS) == [{"$ref": "#/components/parameters/IdempotencyKey"}]
    assert keys(f"{CARDS}/pay")[0]["required"] is True
    assert keys(f"{CARDS}/login") == []


async def test_a_routes_own_refusals_are_described(document: dict[str, Any]) -> None:
    responses = document["paths"][CARDS]["post"]["responses"]

    assert "`postcard_full`" in responses["422"]["description"]
    assert responses["429"] == {"$ref": "#/components/responses/TooManyRequests"}


async def test_every_operation_has_a_name_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    names = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            names.append(operation["operationId"])
            assert operation["summary"], (method, path)
            assert operation["tags"], (method, path)
    assert len(names) == len(set(names))


async def test_the_document_beside_the_page_is_the_same(api: Api) -> None:
    beside = await api.client.get("/api/v1/docs/openapi.json")

    assert beside.content == (await api.client.get("/api/v1/openapi.json")).content


schema = schemathesis.openapi.from_asgi(
    "/api/v1/openapi.json", create_app(Ports(), SETTINGS, routers=[ROUTER])
)


NOT_PROMISED: list[Any] = [
    # A cursor of our making, a key used before, a rule of the business: well-formed, and refused.
    positive_data_acceptance,
]


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_is_answered_otherwise(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"Authorization": "Bearer ada"}, excluded_checks=NOT_PROMISED)

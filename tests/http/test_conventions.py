"""What holds for every route of the real application, looked up in its document."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from entrypoints.http.docs import ASSETS, DOCS_PATH, document_of
from tests.http import estate
from tests.http.shop import Shop, described

DOCUMENT: dict[str, Any] = json.loads(document_of(described()))
MOVE_MONEY = {
    "POST /api/v1/admin/payees/{payee_id}/write-offs",
    "POST /api/v1/checkout",
    "POST /api/v1/orders/{order_id}/cancel",
    "POST /api/v1/orders/{order_id}/refunds",
    "POST /api/v1/disputes/{dispute_id}/evidence",
    "POST /api/v1/admin/refunds/{refund_id}/settle",
    "POST /api/v1/creators/balance/withdraw",
    "POST /api/v1/creators/payouts",
    "POST /api/v1/stores/{store_id}/balance/withdraw",
    "POST /api/v1/stores/{store_id}/payouts",
    "POST /api/v1/credits/purchases",
    "POST /api/v1/admin/credit-purchases/{purchase_id}/refund",
    "POST /api/v1/admin/users/{user_id}/credits",
    "POST /api/v1/billing/checkout",
}
ALWAYS_SHORT = {
    "GET /api/v1/admin/invariants": "an enumeration in the code",
    "GET /api/v1/billing/usage": "one for each of at most 366 days",
    "GET /api/v1/auth/sessions": "a person's devices, deleted when their time is over",
    "GET /api/v1/creators/{creator_id}/consents": "one for each signature of one person",
    "GET /api/v1/creators/{creator_id}/revocations": "at most one for each version of the terms",
    "GET /api/v1/stores": "the stores of one person",
    "GET /api/v1/teams": "the teams of one person, at most 50",
    "GET /api/v1/stores/{store_id}/staff": "at most 200",
    "GET /api/v1/creators/bank-accounts": "at most ten",
    "GET /api/v1/stores/{store_id}/bank-accounts": "at most ten",
    "GET /api/v1/product-templates": "a table in the code",
    "GET /api/v1/orders/{order_id}/credit-notes": "at most one for each refund and dispute",
    "GET /api/v1/orders/{order_id}/files": "at most one for each line of a cart",
    "GET /api/v1/orders/{order_id}/refunds": "at most one for each cent of an order",
    "GET /api/v1/orders/{order_id}/disputes": "a bank opens few of one payment",
    "POST /api/v1/uploads/{upload_id}/parts": "as many as were asked for, at most 100",
    "GET /api/v1/orders/{order_id}/transfers": "at most one for each payee of an order",
}
"""Lists without pages, and what bounds them."""


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = [resolved(parameter) for parameter in operation.get("parameters", ())]
    return {parameter["name"]: parameter for parameter in found}


def answered_data(operation: dict[str, Any]) -> dict[str, Any]:
    """The schema of `data` in the answer of a success."""
    for status, response in operation["responses"].items():
        content = resolved(response).get("content", {})
        if status.startswith("2") and "application/json" in content:
            answer = resolved(content["application/json"]["schema"])
            return resolved(answer["properties"]["data"])
    return {}


EVERY = pytest.mark.parametrize(("route", "operation"), list(operations()))


@EVERY
def test_it_is_named_and_explained(route: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert not re.match(r"[A-Z][a-z]+[A-Z]", operation["summary"]), "a name, not a sentence"
    assert operation["description"]
    assert operation["tags"]
    assert re.fullmatch(r"[a-z_]+", operation["operationId"])


def test_operation_ids_are_unique_and_tags_are_spelt_alike() -> None:
    ids = [operation["operationId"] for _, operation in operations()]
    tags = {tag for _, operation in operations() for tag in operation["tags"]}
    assert len(ids) == len(set(ids))
    assert len(tags) == len({tag.casefold() for tag in tags})
    assert all(tag[0].isupper() for tag in tags)


@EVERY
def test_its_refusals_have_the_shape_of_all_refusals(route: str, operation: dict[str, Any]) -> None:
    refusals = {
        status: resolved(response)
        for status, response in operation["responses"].items()
        if int(status) >= 400
    }
    if not route.startswith("GET /health"):
        assert {"400", "404", "429", "500", "503"} <= set(refusals)
    for status, refusal in refusals.items():
        if status == "416" or (route == "GET /health/ready" and status == "503"):
            continue
        schema = refusal["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}, status


@EVERY
def test_a_body_takes_no_member_that_it_does_not_know(
    route: str, operation: dict[str, Any]
) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = resolved(content["application/json"]["schema"])
        assert body["additionalProperties"] is False


@EVERY
def test_a_list_is_paged_or_bounded(route: str, operation: dict[str, Any]) -> None:
    if answered_data(operation).get("type") != "array":
        assert route not in ALWAYS_SHORT
        return
    asked = parameters(operation)
    if route in ALWAYS_SHORT:
        assert "limit" not in asked
        return
    assert asked["limit"]["schema"]["maximum"] <= 100
    assert "cursor" in asked


@EVERY
def test_where_money_moves_a_key_is_demanded(route: str, operation: dict[str, Any]) -> None:
    key = parameters(operation).get("Idempotency-Key", {"required": False})
    assert key["required"] is (route in MOVE_MONEY)


async def test_without_the_key_nothing_moves(shop: Shop) -> None:
    for route in MOVE_MONEY:
        path = re.sub(r"{\w+}", "0" * 32, route.split()[1].removeprefix("/api/v1"))
        answer = await shop.post(path, {}, by=shop.owner)
        assert answer.status_code == 400, route
        assert answer.json()["error"]["code"] == "idempotency_key_required"


async def test_the_page_of_documentation_needs_no_other_origin(shop: Shop) -> None:
    page = await shop.http.get(DOCS_PATH)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    linked = re.findall(r"""(?:src|href)=["']?([^"'> ]+)""", page.text)
    assert linked
    for link in linked:
        assert not re.match(r"(https?:)?//", link), link
        assert (await shop.http.get(link)).status_code == 200, link
    for name in ("page.js", "swagger-ui.css"):
        asset = (await shop.http.get(f"{DOCS_PATH}/assets/{name}")).text
        assert not re.search(r"(url\(|import |fetch\()\s*[\"']?https?://", asset), name
    assert {"page.js", "swagger-ui.css"} <= set(ASSETS)


async def test_health_says_what_answers(shop: Shop) -> None:
    assert (await shop.http.get("/health/live")).json()["data"] == {"status": "ok"}
    ready = await shop.http.get("/health/ready")
    assert ready.json()["data"] == {"status": "ok", "checks": {"database": "ok"}}


async def test_metrics_count_requests_and_what_waits(shop: Shop) -> None:
    wish = {"creator_id": str(estate.CREATOR), "prompt": "at a harbour"}
    assert (await shop.post("/generations", wish, by=shop.fan)).status_code == 202

    shown = (await shop.http.get("/metrics")).text.splitlines()

    asked = 'http_requests_total{method="POST",route="/api/v1/generations",status="202"}'
    assert any(line.startswith(asked) for line in shown)
    waiting = [line for line in shown if line.startswith("messages_waiting") and "studio" in line]
    assert any(line.endswith(" 1.0") for line in waiting), waiting

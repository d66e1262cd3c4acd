"""What every answer carries, and what is written down about it."""

import gzip
import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from entrypoints.http.compression import ENCODERS
from entrypoints.http.network import TrustedProxies
from entrypoints.logging import configure_logging
from tests.http.platform.conftest import Api, Ports, serving

CARDS = "/api/v1/postcards"


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """The log as production writes it; afterwards everything is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    before = structlog.get_config()
    stream = io.StringIO()
    configure_logging(json=True, stream=stream, service="api")
    yield stream
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def records(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_sane_request_id_is_kept(api: Api) -> None:
    answer = await api.client.get(CARDS, headers={"X-Request-Id": "shop-7.checkout_1"})

    assert answer.headers["x-request-id"] == "shop-7.checkout_1"


@pytest.mark.parametrize("sent", ["", "short", "with space in it", "x" * 101, "inject\tline"])
async def test_any_other_request_id_is_replaced(api: Api, sent: str) -> None:
    answer = await api.client.get(CARDS, headers={"X-Request-Id": sent})

    assert answer.headers["x-request-id"] != sent
    assert len(answer.headers["x-request-id"]) == 36


@pytest.mark.parametrize("path", [CARDS, "/nowhere", f"{CARDS}/broken/defect", "/health/live"])
async def test_every_answer_has_the_security_headers(api: Api, path: str) -> None:
    headers = (await api.client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


async def test_production_insists_on_https() -> None:
    async with serving(production=True) as api:
        answer = await api.client.get("/health/live")

    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")


async def test_other_origins_are_let_in_by_setting_only(api: Api) -> None:
    origin = {"Origin": "https://shop.example"}
    assert (
        "access-control-allow-origin" not in (await api.client.get(CARDS, headers=origin)).headers
    )

    async with serving(cors_origins=("https://shop.example",)) as open_api:
        answer = await open_api.client.get(CARDS, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        preflight = await open_api.client.options(
            CARDS,
            headers=origin
            | {
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "idempotency-key",
            },
        )
        assert preflight.status_code == 204
        stranger = await open_api.client.get(CARDS, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in stranger.headers


@pytest.mark.parametrize("coding", list(ENCODERS))
async def test_large_text_travels_compressed(api: Api, coding: str) -> None:
    plain = await api.client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = await api.client.get("/api/v1/openapi.json", headers={"Accept-Encoding": coding})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == coding
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < len(plain.content) / 3


async def test_compressed_text_is_the_same_text(api: Api) -> None:
    async with api.client.stream(
        "GET", "/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])

    assert "paths" in json.loads(gzip.decompress(raw))


async def test_small_answers_and_pictures_are_sent_as_they_are(api: Api) -> None:
    accept = {"Accept-Encoding": "gzip, br"}
    small = await api.client.get("/health/live", headers=accept)
    picture = await api.client.get("/api/v1/docs/assets/favicon.png", headers=accept)
    refused = await api.client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})

    for answer in (small, picture, refused):
        assert "content-encoding" not in answer.headers


async def test_a_live_process_says_so(api: Api) -> None:
    assert (await api.client.get("/health/live")).json() == {"data": {"status": "ok"}, "meta": {}}


async def test_readiness_tells_what_is_down() -> None:
    async def works() -> None:
        return None

    async def fails() -> None:
        raise ConnectionError("password=hunter2")

    async with serving(ports=Ports(health_checks={"postgres": works})) as api:
        assert (await api.client.get("/health/ready")).status_code == 200
    checks = {"postgres": works, "redis": fails}
    async with serving(ports=Ports(health_checks=checks)) as api:
        answer = await api.client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["data"] == {
        "status": "down",
        "checks": {"postgres": "ok", "redis": "down"},
    }


def count_of(text: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "http_requests_total" and labels.items() <= sample.labels.items()
    )


async def test_requests_are_counted_by_route_and_never_by_address(api: Api) -> None:
    route = f"{CARDS}/{{card_id}}"
    before = (await api.client.get("/metrics")).text
    for number in range(3):
        await api.client.get(f"{CARDS}/00000000-0000-0000-0000-00000000000{number}")
    await api.client.get("/made/up/by/a/scanner")
    after = (await api.client.get("/metrics")).text

    counted = {"method": "GET", "route": route, "status": "404"}
    assert count_of(after, **counted) - count_of(before, **counted) == 3
    assert "scanner" not in after
    assert count_of(after, route="unmatched") > 0


async def test_metrics_are_not_public_in_production() -> None:
    async with serving(production=True) as api:
        assert (await api.client.get("/metrics")).status_code == 404
    async with serving(production=True, metrics_token="let-me-see") as api:
        assert (await api.client.get("/metrics")).status_code == 401
        wrong = await api.client.get("/metrics", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401
        right = await api.client.get("/metrics", headers={"Authorization": "Bearer let-me-see"})
        assert right.status_code == 200


async def test_a_request_is_logged_with_ids_and_without_personal_data(
    api: Api, log_lines: io.StringIO
) -> None:
    await api.client.post(
        f"{CARDS}?email=ada@example.com",
        json={"text": "for Ada's eyes"},
        headers={**api.as_ada, "X-Request-Id": "request-1"},
    )
    (line,) = [line for line in records(log_lines) if line["event"] == "request"]

    assert line["request_id"] == "request-1"
    assert line["user_id"] == "00000000-0000-0000-0000-000000000ada"
    assert (line["method"], line["route"], line["status"]) == ("POST", CARDS, 201)
    assert isinstance(line["duration_ms"], float)
    assert line["service"] == "api"
    assert line["level"] == "info"
    for private in ("example.com", "eyes", "Bearer", "203.0.113.7"):
        assert private not in log_lines.getvalue()


async def test_a_defect_is_logged_with_its_traceback(api: Api, log_lines: io.StringIO) -> None:
    await api.client.get(f"{CARDS}/broken/defect", headers={"X-Request-Id": "request-2"})
    (line,) = [line for line in records(log_lines) if line["event"] == "request_failed"]

    assert line["request_id"] == "request-2"
    assert "RuntimeError: the secret ingredient" in str(line["exception"])
    assert "example.py" in str(line["exception"])


def test_a_database_error_is_logged_without_its_values(log_lines: io.StringIO) -> None:
    text = "Key (email)=(ada@example.com) already exists."

    class UniqueViolationError(Exception):
        sqlstate = "23505"

    try:
        raise UniqueViolationError(text)
    except UniqueViolationError:
        structlog.get_logger("test").exception("failed")

    assert "23505" in log_lines.getvalue()
    assert "ada@example.com" not in log_lines.getvalue()


def test_no_text_is_too_strange_to_be_logged(log_lines: io.StringIO) -> None:
    structlog.get_logger("test").info("seen", text="half \ud800", thing=object(), number=2**80)

    assert records(log_lines)[0]["event"] == "seen"


def test_the_standard_library_logs_the_same_way(log_lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("careful with %s", "that")

    (line,) = records(log_lines)
    assert (line["event"], line["level"], line["logger"]) == (
        "careful with that",
        "warning",
        "some.library",
    )


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("::ffff:10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::"),
        (None, "198.51.100.1", "unknown"),
    ],
)
def test_only_a_trusted_proxy_says_whose_request_it_forwards(
    peer: str | None, forwarded_for: str, client: str
) -> None:
    proxies = TrustedProxies(["10.0.0.0/8"])

    assert proxies.client_address(peer, forwarded_for) == client


async def test_the_document_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = await api.client.get("/api/v1/docs")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<style" not in page.text
    assert "http" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "page.js", "favicon.png"):
        assert f"/api/v1/docs/assets/{asset}" in page.text
        assert (await api.client.get(f"/api/v1/docs/assets/{asset}")).status_code == 200
    secret: httpx.Response = await api.client.get("/api/v1/docs/assets/..%2f..%2fapp.py")
    assert secret.status_code == 404

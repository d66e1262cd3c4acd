"""The doctor's judgement of servers and places that are not as they should be."""

import socket
from pathlib import Path

import pytest

from entrypoints.cli.checks import examine, judge_postgres, judge_redis, require_servers
from entrypoints.cli.finding import Finding
from entrypoints.local.errors import LocalError
from entrypoints.settings import Settings


@pytest.mark.parametrize(
    ("version", "ok"),
    [
        ("14.9", False),
        ("15.0", True),
        ("17.2 (Debian 17.2-1.pgdg12+1)", True),
        ("18.4", True),
        ("19beta1", False),
    ],
)
def test_postgresql_is_of_a_version_that_was_tried(version: str, ok: bool) -> None:
    finding = judge_postgres(version, has_tables=True, embedded=False)

    assert finding.ok is ok
    assert ok or "use one from 15 to 18: set LIKENESS_DATABASE_URL" in finding.detail


def test_a_database_without_tables_is_told_how_to_get_them() -> None:
    finding = judge_postgres("18.4", has_tables=False, embedded=False)

    assert finding.ok
    assert "`likeness migrate up` makes them" in finding.detail


@pytest.mark.parametrize(("version", "ok"), [("6.0.16", False), ("6.2.0", True), ("7.2.4", True)])
def test_redis_is_new_enough(version: str, ok: bool) -> None:
    finding = judge_redis(version, embedded=False)

    assert finding.ok is ok
    assert ok or "use 6.2 or newer: set LIKENESS_REDIS_URL" in finding.detail


async def findings(**environ: str) -> dict[str, Finding]:
    settings = Settings.load(environ)
    return {finding.name: finding for finding in await examine(settings, given=settings)}


async def test_each_thing_that_cannot_be_reached_is_told_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = await findings(
            LIKENESS_DATA_DIR=str(tmp_path),
            LIKENESS_PORT=str(other.getsockname()[1]),
            LIKENESS_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x",
            LIKENESS_REDIS_URL="redis://:hunter2@127.0.0.1:1/0",
            LIKENESS_STORAGE_URL="file:///proc/nowhere",
            LIKENESS_STRIPE_SECRET_KEY="sk_test_hunter2",
            LIKENESS_STRIPE_WEBHOOK_SECRET="whsec_1",
            LIKENESS_STRIPE_CONNECT_WEBHOOK_SECRET="whsec_2",
            LIKENESS_STRIPE_API_BASE="http://127.0.0.1:1",
        )

    wrong = {name: finding.detail for name, finding in found.items() if not finding.ok}
    assert wrong.keys() == {"port", "PostgreSQL", "Redis", "storage", "Stripe"}
    assert wrong["PostgreSQL"] == "nothing listens at this address; check LIKENESS_DATABASE_URL"
    assert wrong["Redis"] == "nothing listens at this address; check LIKENESS_REDIS_URL"
    assert wrong["storage"].endswith("set LIKENESS_STORAGE_URL")
    assert wrong["port"].endswith("set LIKENESS_PORT")
    assert "does this machine reach http://127.0.0.1:1" in wrong["Stripe"]
    assert "hunter2" not in str(found)


async def test_a_process_that_serves_does_not_start_without_its_servers(tmp_path: Path) -> None:
    settings = Settings.load(
        {
            "LIKENESS_DATA_DIR": str(tmp_path),
            "LIKENESS_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x",
            "LIKENESS_REDIS_URL": "redis://127.0.0.1:1/0",
        }
    )

    with pytest.raises(LocalError) as caught:
        await require_servers(settings, patience_s=0)

    assert "check LIKENESS_DATABASE_URL" in str(caught.value)
    assert "check LIKENESS_REDIS_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)

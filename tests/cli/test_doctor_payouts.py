"""What the doctor says of the providers of payouts to banks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from entrypoints.cli.checks import examine
from entrypoints.cli.finding import Finding
from entrypoints.settings import Settings
from tests.sandbox.server import Sandbox, running_sandbox

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


async def findings(folder: Path, **environ: str) -> dict[str, Finding]:
    settings = Settings.load(
        {
            "LIKENESS_DATA_DIR": str(folder),
            "LIKENESS_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x",
            "LIKENESS_REDIS_URL": "redis://127.0.0.1:1/0",
            **{f"LIKENESS_{name}": value for name, value in environ.items()},
        }
    )
    return {finding.name: finding for finding in await examine(settings, given=settings)}


def keys(base: str, *, key: str = "fp_test_sandbox") -> dict[str, str]:
    return {
        "BANK_PAYOUTS": "on",
        "FLOWPAY_API_KEY": key,
        "FLOWPAY_API_BASE": f"{base}/flowpay",
        "FLOWPAY_WEBHOOK_SECRET": "whsec_c2FuZGJveC1mbG93cGF5LXNlY3JldA==",
        "PLAID_CLIENT_ID": "sandbox",
        "PLAID_SECRET": "plaid_sandbox",
        "PLAID_API_BASE": f"{base}/plaid",
    }


async def test_without_payouts_to_banks_their_providers_are_not_used(tmp_path: Path) -> None:
    found = await findings(tmp_path, BANK_PAYOUTS="off")

    for name in ("FlowPay", "Plaid"):
        assert found[name] == Finding(name, True, "not used: LIKENESS_BANK_PAYOUTS is off")


async def test_without_keys_the_sandbox_plays_them(tmp_path: Path) -> None:
    found = await findings(tmp_path, BANK_PAYOUTS="on")

    assert found["FlowPay"].detail == (
        "played by the sandbox; set LIKENESS_FLOWPAY_API_KEY for the real one"
    )
    assert found["Plaid"].detail == (
        "played by the sandbox; set LIKENESS_PLAID_SECRET for the real one"
    )


async def test_providers_that_answer_are_fine(tmp_path: Path, sandbox: Sandbox) -> None:
    found = await findings(tmp_path, **keys(sandbox.url))

    assert found["FlowPay"] == Finding("FlowPay", True, "answers and accepts the key")
    assert found["Plaid"] == Finding("Plaid", True, "can be reached")


async def test_a_refused_key_is_told_with_its_setting(tmp_path: Path, sandbox: Sandbox) -> None:
    found = await findings(tmp_path, **keys(sandbox.url, key="fp_live_hunter2"))

    assert found["FlowPay"] == Finding(
        "FlowPay", False, "refuses the key; check LIKENESS_FLOWPAY_API_KEY"
    )
    assert "hunter2" not in str(found)


async def test_providers_that_cannot_be_reached_are_told(tmp_path: Path) -> None:
    found = await findings(tmp_path, **keys(NOWHERE))

    for name in ("FlowPay", "Plaid"):
        assert not found[name].ok
        assert f"does this machine reach {NOWHERE}/{name.lower()}" in found[name].detail

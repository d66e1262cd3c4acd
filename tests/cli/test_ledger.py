"""`likeness ledger verify` over a real stack's database."""

import json
from pathlib import Path

from tests.local.test_cli import likeness


def test_a_fresh_ledger_is_sound_and_the_exit_code_says_so(tmp_path: Path) -> None:
    made = likeness("migrate", "up", data_dir=tmp_path)
    assert made.returncode == 0, made.stderr
    result = likeness("ledger", "verify", "--json", data_dir=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "sound": True,
        "transactions": 0,
        "entries": 0,
        "sealed_days": 0,
        "last_seal": None,
        "breach_count": 0,
        "breaches": [],
        "trial_balance": [],
        "since": None,
    }


def test_sealing_an_empty_ledger_closes_the_days_that_are_over(tmp_path: Path) -> None:
    assert likeness("migrate", "up", data_dir=tmp_path).returncode == 0
    result = likeness("ledger", "seal", "--json", data_dir=tmp_path)
    assert result.returncode == 0, result.stderr
    closed = json.loads(result.stdout)
    assert (closed["sealed_days"], closed["last_hash"]) == ([], None)
    result = likeness("ledger", "rebuild-checkpoints", data_dir=tmp_path)
    assert (result.returncode, result.stdout) == (0, "0 days.\n")

"""`likeness ledger verify` over a real stack's database."""

import json
from pathlib import Path

from tests.local.test_cli import likeness


def test_a_fresh_ledger_is_sound_and_the_exit_code_says_so(tmp_path: Path) -> None:
    assert likeness("migrate", "up", data_dir=tmp_path).returncode == 0
    result = likeness("ledger", "verify", "--json", data_dir=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "sound": True,
        "transactions": 0,
        "entries": 0,
        "breach_count": 0,
        "breaches": [],
        "trial_balance": [],
    }

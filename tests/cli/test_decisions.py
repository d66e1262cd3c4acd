"""`likeness decisions replay` over a real stack's database."""

import json
from pathlib import Path
from uuid import UUID

from rich.console import Console

from application.licensing.replay import Difference, ReplayReport
from domain.licensing.record import DecisionPoint
from entrypoints.cli.decisions import show
from tests.local.test_cli import likeness


def test_where_nothing_was_decided_everything_is_the_same(tmp_path: Path) -> None:
    assert likeness("migrate", "up", data_dir=tmp_path).returncode == 0
    result = likeness("decisions", "replay", "--json", data_dir=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "replayed": 0,
        "difference_count": 0,
        "differences": [],
    }


def test_a_difference_says_what_where_and_of_which_decision() -> None:
    difference = Difference(
        decision_id=UUID(int=1), point=DecisionPoint.CHECKOUT, fault="decided_otherwise"
    )
    console = Console(width=100)
    with console.capture() as shown:
        show(ReplayReport(replayed=5, difference_count=2, differences=[difference]), console)
    lines = shown.get().splitlines()
    assert lines[0] == "2 differences in 5 decisions:"
    assert lines[1] == f"  decided_otherwise: checkout {UUID(int=1)}"
    assert lines[2] == "  and 1 more"

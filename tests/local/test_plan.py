"""What the stack of a checkout will consist of, told before anything of it runs."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.system.clock import ShiftedClock
from entrypoints.local.child import Process
from entrypoints.local.stack import plan
from entrypoints.settings import Settings


def sandbox_of(data_dir: Path, *, clock_control: str) -> Process:
    stack = plan(
        Settings.load({"LIKENESS_DATA_DIR": str(data_dir), "LIKENESS_CLOCK_CONTROL": clock_control})
    )
    return next(
        part
        for stage in stack.stages
        for part in stage
        if isinstance(part, Process) and part.name == "sandbox"
    )


@pytest.mark.parametrize(
    ("clock_control", "moved_s", "ahead"),
    [("on", 0, "0"), ("on", 8 * 86_400, "691200"), ("off", 8 * 86_400, "0")],
)
def test_a_fresh_sandbox_starts_at_the_time_to_which_the_stack_was_moved(
    tmp_path: Path, clock_control: str, moved_s: int, ahead: str
) -> None:
    if moved_s:
        ShiftedClock(tmp_path / "clock").advance(timedelta(seconds=moved_s))

    argv = list(sandbox_of(tmp_path, clock_control=clock_control).argv)

    assert argv[argv.index("--clock-offset-s") + 1] == ahead

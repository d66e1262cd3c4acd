"""What a person sees while the stack runs: one line per event, its part named in colour."""

from collections.abc import Callable
from itertools import cycle

from rich.console import Console
from rich.text import Text

_COLOURS = cycle(("cyan", "magenta", "green", "yellow", "blue", "bright_red"))
OURS = "likeness"


def full(console: Console) -> Callable[[str, str], None]:
    """Every line of every part."""
    colours: dict[str, str] = {OURS: "bold white"}

    def tell(name: str, line: str) -> None:
        if name not in colours:
            colours[name] = next(_COLOURS)
        console.print(
            Text.assemble((f"{name:<10}", colours[name]), "│ ", Text.from_ansi(line)),
            soft_wrap=True,
        )

    return tell


def brief(console: Console) -> Callable[[str, str], None]:
    """Only what the supervisor says itself; the parts write into their log files."""

    def tell(name: str, line: str) -> None:
        if name == OURS:
            console.print(Text(f"  {line}", "dim"), soft_wrap=True)

    return tell

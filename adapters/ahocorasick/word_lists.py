"""The word lists that come with the package, read once."""

from functools import cache
from importlib.resources import files

from domain.moderation.lists import Lists, together


@cache
def shipped_lists() -> Lists:
    """Raises ListMalformed."""
    folder = files("adapters.ahocorasick") / "lists"
    return together(
        {
            file.name.removesuffix(".txt"): file.read_text(encoding="utf-8")
            for file in folder.iterdir()
            if file.name.endswith(".txt")
        }
    )

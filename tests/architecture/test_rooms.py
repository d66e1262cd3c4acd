"""What .importlinter cannot say: the domain's exact libraries, and that the picture is true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED_IN_DOMAIN = {
    *("collections", "dataclasses", "datetime", "decimal", "domain", "enum", "fractions"),
    *("functools", "hashlib", "heapq", "itertools", "json", "math", "re", "string", "typing"),
    *("unicodedata", "uuid", "zlib"),
}
CLOCK_AND_CHANCE = {"now", "utcnow", "today", "uuid1", "uuid4"}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_domain_imports_a_short_list_of_the_standard_library() -> None:
    found = {name.partition(".")[0] for source in sources("domain") for name in imported(source)}

    assert found <= ALLOWED_IN_DOMAIN


@pytest.mark.parametrize("folder", ["domain", "application"])
def test_time_and_chance_come_in_as_arguments(folder: str) -> None:
    calls = {
        f"{source.relative_to(ROOT)}: {ast.unparse(node)}"
        for source in sources(folder)
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_AND_CHANCE
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date", "uuid"}
    }

    assert calls == set()


def test_the_table_of_contexts_says_who_uses_whom() -> None:
    drawn = {
        name: set(re.findall(r"\w+", uses))
        for name, uses in re.findall(
            r"^\| (\w+) \| [^|]+ \| ([\w, –]+) \|$",
            (ROOT / "ARCHITECTURE.md").read_text().partition("## Contexts")[2],
            flags=re.MULTILINE,
        )
    }
    found = {
        context.name: {
            name.split(".")[1]
            for source in sources(f"domain/{context.name}")
            for name in imported(source)
            if name.startswith("domain.")
        }
        - {context.name}
        for context in (ROOT / "domain").iterdir()
        if (context / "__init__.py").exists()
    }

    assert drawn == found

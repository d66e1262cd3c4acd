"""Documents that can be checked are: links, commands, routes, codes."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from litestar.routes import HTTPRoute

from entrypoints.cli.main import COMMANDS, cli
from entrypoints.http.error_docs import error_page
from entrypoints.http.routes import ROUTERS
from entrypoints.settings import specs, variable_of

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DEPLOYMENT = [ROOT / name for name in ("Dockerfile", "Procfile", "compose.yaml")]
FOR_TESTS = {"LIKENESS_TEST_DATABASE_URL", "LIKENESS_TEST_REDIS_URL"}
SERVED_BESIDE_THE_ROUTES = {
    ("GET", "/api/v1/docs"),
    ("GET", "/api/v1/live"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
}


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        linked = (document.parent / path).resolve() if path else document
        assert linked.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(linked), f"{target}: no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", document.read_text(), flags=re.MULTILINE)

    assert {a or b for a, b in named} <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_exist(document: Path) -> None:
    for line in re.findall(r"(?:`|^|/)likeness ([a-z][^`\n]*)", document.read_text(), re.MULTILINE):
        command: click.Command = cli
        for word in line.split():
            if not isinstance(command, click.Group) or not re.fullmatch(r"[a-z-]+", word):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"likeness {line}"
            command = found
        for option in re.findall(r"--[a-z-]+", line):
            shown = CliRunner().invoke(command, ["--help"]).output
            assert option in shown, f"likeness {line}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_routes_exist(document: Path) -> None:
    served = SERVED_BESIDE_THE_ROUTES | {
        (str(method), shape(route.path))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
    }
    text = document.read_text()
    named = re.findall(
        r"\b(GET|POST|PUT|PATCH|DELETE) `?(/(?:api/v1|health|metrics)[^\s`|?\"]*)", text
    )

    assert {(method, shape(path)) for method, path in named} <= served


def shape(path: str) -> str:
    """`/orders/{order_id:uuid}/` and `/orders/{id}` are one route."""
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/") or "/"


@pytest.mark.parametrize("file", [*DOCUMENTS, *DEPLOYMENT], ids=name_of)
def test_settings_exist(file: Path) -> None:
    known = {variable_of(name) for name in specs()} | FOR_TESTS

    assert set(re.findall(r"\bLIKENESS_[A-Z0-9_]+\b", file.read_text())) <= known


def test_every_process_of_the_deployment_is_a_command() -> None:
    procfile = re.findall(r"likeness ([a-z]+)", (ROOT / "Procfile").read_text())
    composed = re.findall(
        r'^    command: \["([a-z]+)"', (ROOT / "compose.yaml").read_text(), re.MULTILINE
    )

    assert set(procfile) == {"api", "migrate", "relay", "scheduler", "worker"}
    assert set(composed) - {"valkey-server"} == set(procfile)
    assert set(procfile) <= COMMANDS.keys()


def test_the_page_of_error_codes_is_current() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == error_page(), "run `likeness errors docs`"


def test_every_reason_of_a_licence_is_explained() -> None:
    page = (ROOT / "docs" / "licensing.md").read_text()
    sources = [
        *(ROOT / "domain" / "licensing" / "rules").glob("*.py"),
        ROOT / "application" / "catalogue" / "gates.py",
    ]
    for source in sources:
        for code in re.findall(r'Reason\(\s*"([a-z_]+)"', source.read_text()):
            assert f"`{code}`" in page, code


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").glob("*.svg")), ids=name_of)
def test_pictures_are_whole(picture: Path) -> None:
    root = ET.fromstring(picture.read_text())

    assert root.find("{http://www.w3.org/2000/svg}title") is not None

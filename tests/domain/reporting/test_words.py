"""A payee is told why its money moved: every kind of effect that touches a payee has words."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from domain.ledger import dispute_effects, effects, payout_effects
from domain.reporting.words import movement

PAGE = (Path(__file__).parents[3] / "docs" / "money.md").read_text()
MODULES = (effects, dispute_effects, payout_effects)
"""Nothing else posts."""
MAKERS = {"Transaction", "_between", "_move", "_given", "_posting"}
"""They are all given the kind second."""
PLATFORMS_OWN = {
    "refund_returned",
    "refund_settled",
    "payouts_funded",
    "payout_paid",
    "payout_cost",
}
"""Between accounts of the platform: in no payee's statement."""


def kinds_of(module: ModuleType) -> Iterator[str]:
    """Every kind that some call in the module names; `kind` itself is only passed on."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in MAKERS:
            given = node.args[1]
            assert isinstance(given, ast.Constant) or ast.unparse(given) == "kind"
            if isinstance(given, ast.Constant):
                yield str(given.value)


KINDS = {kind for module in MODULES for kind in kinds_of(module)}


def test_the_kinds_are_found() -> None:
    assert {"sale", "processing_fee", "dispute_lost", "payout_fee", "reversal"} < KINDS
    assert PLATFORMS_OWN < KINDS


@pytest.mark.parametrize("kind", sorted(KINDS - PLATFORMS_OWN))
@pytest.mark.parametrize("state", ["pending", "available", "reserved", "disputed"])
def test_every_kind_that_touches_a_payee_has_words(kind: str, state: str) -> None:
    said = movement(kind, state, order="7")

    assert said != f"{kind.replace('_', ' ')} of order 7"  # what it says without words
    assert "{" not in said


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_key_is_in_the_page_about_money(module: ModuleType) -> None:
    """The docstrings name the keys that the functions make."""
    keys = re.findall(r"`([a-z_]+:\{[a-z_-]+\}[^`]*)`", inspect.getsource(module))
    assert keys

    assert [key for key in keys if f"| `{key}` |" not in PAGE] == []


def test_every_key_that_is_made_is_named_in_a_docstring() -> None:
    for module in MODULES:
        source = inspect.getsource(module)
        made = set(re.findall(r'f"([a-z_]+):\{', source)) - {"kind"}
        told = set(re.findall(r"`([a-z_]+):\{", source))
        assert made <= told, made - told

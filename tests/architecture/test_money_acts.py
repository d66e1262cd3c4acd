"""Every act of somebody that moves money, or decides what money will do, is in the audit log.

The use cases are found in the code, not listed: who adds one that commits for an actor and leaves
no line in the log is told so here. What each line says is for the tests of the use case.
"""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
MONEY = (
    *("application.ledger.", "application.ordering.", "application.reporting."),
    *("application.catalogue.products", "application.licensing.grants"),
    *("application.licensing.sublicences",),
)
NO_MONEY_YET: dict[str, str] = {
    "application.ordering.checkout.start_checkout": "the order is the record of who placed it",
    "application.catalogue.products.create_product": "a draft is not on sale",
    "application.catalogue.products.publish_product": "each decision on a listing is kept",
    "application.catalogue.products.unpublish_product": "takes off sale, moves nothing",
    "application.ledger.payees.show_payee": "asks the provider and notes its answer",
}
SAY_NOTHING_OF_MONEY = {"commit", "moderation.hard_block"}
BY_NO_ACTOR = {
    "application.ledger.funding.fund_payouts": "payouts.funded",
    "application.ordering.provider_refunds.adopt_refund": "refund.adopted",
    "application.ordering.revocations.carry_out_revocation": "refund.requested",
}
"""Nobody is signed in, and yet somebody outside has moved money, or has us move it."""


class Function(NamedTuple):
    node: ast.AsyncFunctionDef | ast.FunctionDef
    module: str

    @property
    def takes(self) -> set[str]:
        arguments = self.node.args
        return {a.arg for a in (*arguments.args, *arguments.kwonlyargs)}


@cache
def functions() -> dict[str, Function]:
    """All of the application's, by their full names."""
    found: dict[str, Function] = {}
    for source in sorted((ROOT / "application").rglob("*.py")):
        module = ".".join(source.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(source.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                found[f"{module}.{node.name}"] = Function(node, module)
    return found


@cache
def names_in(module: str) -> dict[str, str]:
    """What a name that is called in a module stands for: its own functions, and imported ones."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("application."):
            known |= {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    return known | {
        node.name: f"{module}.{node.name}"
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


@cache
def done_by(name: str) -> frozenset[str]:
    """`commit`, and the acts that are recorded, by a function and all that it calls."""
    return frozenset(_walk(name, set()))


def _walk(name: str, seen: set[str]) -> set[str]:
    if name in seen or name not in functions():
        return set()
    seen.add(name)
    function, done = functions()[name], set[str]()
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called.endswith("uow.commit"):
            done.add("commit")
        elif called.endswith("uow.audit.record"):
            done.add(ast.unparse(node.args[0]).strip("f'"))
        elif called in names_in(function.module):
            done |= _walk(names_in(function.module)[called], seen)
    return done


def money_acts() -> list[str]:
    """Public use cases of an actor, or a shopper, that commit something where money is."""
    return [
        name
        for name, function in functions().items()
        if name.startswith(MONEY)
        and not function.node.name.startswith("_")
        and {"actor", "shopper"} & function.takes
        and "commit" in done_by(name)
    ]


def test_every_act_about_money_is_in_the_audit_log() -> None:
    silent = {name for name in money_acts() if not done_by(name) - SAY_NOTHING_OF_MONEY}

    assert silent == set(NO_MONEY_YET)


def test_what_nobody_who_is_signed_in_does_is_in_the_log_too() -> None:
    for name, act in BY_NO_ACTOR.items():
        assert act in done_by(name), name


def test_the_search_finds_what_it_is_for() -> None:
    """A search that finds nothing would agree with everything."""
    assert {
        "application.ordering.refunds.request_refund",
        "application.ordering.cancellation.cancel_order",
        "application.ordering.discounts.create_discount",
        "application.ledger.withdrawals.withdraw",
        "application.ledger.write_offs.write_off_debt",
        "application.licensing.grants.pay_guarantee",
    } <= set(money_acts())

"""`expand[]`: ids in an answer are replaced by the objects they name, up to four levels deep."""

from typing import Any

from entrypoints.sandbox.stripe.errors import invalid
from entrypoints.sandbox.stripe.invoices import payments_of
from entrypoints.sandbox.stripe.lists import as_list
from entrypoints.sandbox.stripe.store import World
from entrypoints.sandbox.stripe.table import Object

MAX_DEPTH = 4


def expand(world: World, answer: Object, paths: list[str]) -> Object:
    """A copy of the answer with each path expanded; the stored objects stay as they are."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise invalid(
                f"You cannot expand more than {MAX_DEPTH} levels of a property", param="expand"
            )
        answer = _expanded(world, answer, steps, path)
    return answer


def _expanded(world: World, holder: Object, steps: list[str], path: str) -> Object:
    name, *rest = steps
    if name == "data" and holder.get("object") == "list" and rest:
        return {**holder, "data": [_expanded(world, row, rest, path) for row in holder["data"]]}
    value = holder[name] if name in holder else _included(world, holder, name)
    if value is _UNKNOWN:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand[0]")
    if isinstance(value, str):
        table = world.table_of(value)
        row = table.peek(value) if table else None
        if row is None:
            raise invalid(f"This property cannot be expanded ({path}).", param="expand[0]")
        value = dict(row)
    if rest and isinstance(value, dict):
        value = _expanded(world, value, rest, path)
    return {**holder, name: value}


_UNKNOWN = object()


def _included(world: World, holder: Object, name: str) -> Any:
    """Lists that an object carries only on request."""
    kind, identifier = holder.get("object"), holder.get("id", "")
    if (kind, name) == ("checkout.session", "line_items"):
        url = f"/v1/checkout/sessions/{identifier}/line_items"
        return as_list(world.line_items[identifier], url=url)
    if (kind, name) == ("charge", "refunds"):
        owner = world.charges.owner(identifier)
        rows = list(world.refunds.newest_first(owner, index=("charge", identifier)))
        return as_list(rows, url=f"/v1/charges/{identifier}/refunds")
    if (kind, name) == ("invoice", "payments"):
        return payments_of(world, identifier)
    return _UNKNOWN

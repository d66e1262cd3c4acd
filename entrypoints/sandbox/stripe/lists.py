"""Lists: newest first, ten at a time unless asked otherwise, continued with `starting_after`."""

from collections.abc import Callable
from typing import Any

from entrypoints.sandbox.stripe.errors import invalid, no_such
from entrypoints.sandbox.stripe.operations import Call
from entrypoints.sandbox.stripe.table import Object, Table

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
_PAGING = {"limit", "starting_after", "ending_before", "expand", "created"}


def page(
    table: Table,
    call: Call,
    *,
    url: str,
    keep: Callable[[Object], bool] | None = None,
    render: Callable[[Object], Object] = dict,
    fixed: dict[str, Any] | None = None,
) -> Object:
    """One page of a table; parameters named like a field of the objects filter by it.

    `fixed` adds filters from the path, `keep` what a field comparison cannot say.
    """
    filters = {name: value for name, value in call.params.items() if name not in _PAGING}
    if keep is not None:
        filters = {}
    filters |= fixed or {}
    index = table.index_for(filters)
    limit = _limit(call.params)
    after = call.params.get("starting_after")
    if after is not None and table.find(call.account, after) is None:
        raise no_such(table.noun, after, param="starting_after")
    if "ending_before" in call.params:
        raise invalid("The sandbox pages forwards only: use starting_after", param="ending_before")
    created = _created_bounds(call.params.get("created"))
    found: list[Object] = []
    has_more = False
    for row in table.newest_first(call.account, index=index, after=after):
        if not all(_fits(row.get(name), wanted) for name, wanted in filters.items()):
            continue
        if not created(row["created"]) or (keep is not None and not keep(row)):
            continue
        if len(found) == limit:
            has_more = True
            break
        found.append(render(row))
    return as_list(found, url=url, has_more=has_more)


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        held = value or {}
        return all(_fits(held.get(name), inner) for name, inner in wanted.items())
    return bool(value == wanted)


def as_list(rows: list[Object], *, url: str, has_more: bool = False) -> Object:
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


def _limit(params: dict[str, Any]) -> int:
    limit = params.get("limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        code = "parameter_invalid_integer"
        raise invalid(f"Invalid integer: limit must be 1 to {MAX_LIMIT}", param="limit", code=code)
    return int(limit)


def _created_bounds(created: Any) -> Callable[[int], bool]:
    if created is None:
        return lambda _: True
    if isinstance(created, int):
        return lambda moment: moment == created
    low = max(created.get("gte", 0), created.get("gt", -1) + 1)
    high = min(created.get("lte", 1 << 62), created.get("lt", (1 << 62) + 1) - 1)
    return lambda moment: low <= moment <= high

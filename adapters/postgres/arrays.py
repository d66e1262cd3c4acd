"""Many rows in one statement, at the price of one: parallel arrays that the server unnests.

The statement's text is the same for any number of rows, so it is compiled and planned once.
`unnested` takes the values at once. A statement that runs for every message is built once, with
`unnested_parameters`, and executed with `parameters`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    TableValuedAlias,
    bindparam,
    cast,
    column,
    func,
)
from sqlalchemy.types import TypeEngine


class Values(NamedTuple):
    name: str
    kind: TypeEngine[Any]
    values: Sequence[Any]


def unnested(alias: str, *columns: Values) -> TableValuedAlias:
    """A FROM clause with one row for each position of the arrays, which are of equal length."""
    kinds = {given.name: given.kind for given in columns}
    return _unnest(alias, kinds, [cast(list(one.values), ARRAY(one.kind)) for one in columns])


def unnested_parameters(alias: str, columns: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    """The same with parameters `{alias}_{column}` for the arrays."""
    arrays = [cast(array(f"{alias}_{name}", kind), ARRAY(kind)) for name, kind in columns.items()]
    return _unnest(alias, columns, arrays)


def parameters(
    alias: str, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> dict[str, list[Any]]:
    """The arrays for `unnested_parameters(alias, …)`; without rows they are empty."""
    arrays: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return {f"{alias}_{name}": list(values) for name, values in zip(names, arrays, strict=True)}


def array(name: str, kind: TypeEngine[Any]) -> BindParameter[Sequence[Any]]:
    return bindparam(name, type_=ARRAY(kind))


def _unnest(
    alias: str, kinds: Mapping[str, TypeEngine[Any]], arrays: Sequence[ColumnElement[Any]]
) -> TableValuedAlias:
    return (
        func.unnest(*arrays)
        .table_valued(*(column(name, kind) for name, kind in kinds.items()), name=alias)
        .render_derived()
    )

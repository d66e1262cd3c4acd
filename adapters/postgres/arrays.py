"""Many rows in one statement, at the price of one: parallel arrays that the server unnests.

The statement's text is the same for any number of rows, so it is compiled and planned once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, TableValuedAlias, cast, column, func
from sqlalchemy.types import TypeEngine


class Values(NamedTuple):
    name: str
    kind: TypeEngine[Any]
    values: Sequence[Any]


def unnested(alias: str, *columns: Values) -> TableValuedAlias:
    """A FROM clause with one row for each position of the arrays, which are of equal length."""
    arrays = [cast(list(given.values), ARRAY(given.kind)) for given in columns]
    return (
        func.unnest(*arrays)
        .table_valued(*(column(given.name, given.kind) for given in columns), name=alias)
        .render_derived()
    )

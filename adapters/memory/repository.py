"""A dict of aggregates with the promises of the real thing: isolation until commit, versions."""

import copy
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields
from typing import Any, Generic, TypeVar
from uuid import UUID

from application.ports.repository import AlreadyExists, StaleVersion
from domain.shared.errors import NotFound

A = TypeVar("A")

UniqueKeys = dict[Callable[[A], Hashable], Callable[[], Exception]]
"""What no two aggregates may share (None may be shared), and the error that it means."""


def already_exists() -> AlreadyExists:
    return AlreadyExists("It exists already.")


def _id(aggregate: Any) -> Hashable:
    return aggregate.id  # type: ignore[no-any-return]


class Table(Generic[A]):
    """Committed aggregates. A `versioned` one carries in its `version` how often it was saved."""

    def __init__(
        self,
        kind: str,
        *,
        key: Callable[[A], Hashable] = _id,
        unique: UniqueKeys[A] | None = None,
        versioned: bool = False,
    ) -> None:
        self.kind = kind
        self.key = key
        self.unique = unique or {}
        self.versioned = versioned
        self.rows: dict[Hashable, A] = {}
        """Never changed in place: who has loaded one can tell by it whether it is still there."""


class MemoryRepository(Generic[A]):
    """One unit of work's view of a table: reads are copies, writes wait for `flush`."""

    def __init__(self, table: Table[A]) -> None:
        self._table = table
        self._loaded: dict[Hashable, tuple[A, A]] = {}
        """What was handed out, and the row that it is a copy of."""
        self._added: dict[Hashable, A] = {}
        self._deleted: set[Hashable] = set()

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> A:
        found = self._peek(aggregate_id)
        if found is None:
            raise NotFound(self._table.kind, aggregate_id)
        return found

    def add(self, aggregate: A) -> None:
        self._added[self._table.key(aggregate)] = aggregate

    def _delete(self, aggregate: A) -> None:
        self._deleted.add(self._table.key(aggregate))

    def _peek(self, key: Hashable) -> A | None:
        if key in self._deleted:
            return None
        if key in self._added:
            return self._added[key]
        if key not in self._loaded:
            if key not in self._table.rows:
                return None
            row = self._table.rows[key]
            self._loaded[key] = (_copy(row), row)
        return self._loaded[key][0]

    def _where(self, predicate: Callable[[A], bool]) -> Iterator[A]:
        for key in {**self._table.rows, **self._added}:
            aggregate = self._peek(key)
            if aggregate is not None and predicate(aggregate):
                yield aggregate

    def check(self) -> None:
        """Raise what a commit would: a changed version or a taken unique key."""
        for key in self._changed():
            if self._table.rows.get(key) is not self._loaded[key][1]:
                raise StaleVersion("It was changed meanwhile: load it again.")
        if self._added.keys() & self._table.rows.keys():
            raise already_exists()
        rows = {**self._table.rows, **self._changed(), **self._added}
        for key_of, error in self._table.unique.items():
            keys = [unique for row in rows.values() if (unique := key_of(row)) is not None]
            if len(set(keys)) < len(keys):
                raise error()

    def flush(self) -> None:
        for key, aggregate in {**self._changed(), **self._added}.items():
            if self._table.versioned:
                aggregate.version = aggregate.version + 1 if key in self._loaded else 1  # type: ignore[attr-defined]
            self._table.rows[key] = _copy(aggregate)
        for key in self._deleted:
            self._table.rows.pop(key, None)
        self._loaded.clear()
        self._added.clear()
        self._deleted.clear()

    def _changed(self) -> dict[Hashable, A]:
        return {
            key: aggregate
            for key, (aggregate, row) in self._loaded.items()
            if _state(aggregate) != _state(row)
        }


def _copy(value: Any) -> Any:
    """Made of the declared fields alone, for a mapper may have put others beside them."""
    if isinstance(value, list):
        return [_copy(item) for item in value]
    if _is_entity(value):
        return type(value)(**{f.name: _copy(getattr(value, f.name)) for f in fields(value)})
    return copy.deepcopy(value)


def _state(value: Any) -> Any:
    """What can be compared: entities are equal only to themselves, their states to others'."""
    if isinstance(value, list):
        return [_state(item) for item in value]
    if _is_entity(value):
        return {f.name: _state(getattr(value, f.name)) for f in fields(value)}
    return value


def _is_entity(value: Any) -> bool:
    declared = getattr(type(value), "__dataclass_params__", None)
    return declared is not None and not declared.frozen

"""A dict of aggregates with the promises of the real thing: isolation until commit, versions."""

import copy
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar
from uuid import UUID

from domain.shared.errors import Conflict, NotFound

A = TypeVar("A")


class StaleVersion(Conflict):
    code = "stale_version"


class AlreadyExists(Conflict):
    code = "already_exists"


class Table(Generic[A]):
    """Committed aggregates. `unique` are keys that no two may share, with the error it means."""

    def __init__(
        self,
        kind: str,
        *,
        unique: dict[Callable[[A], Hashable], Callable[[], Exception]] | None = None,
    ) -> None:
        self.kind = kind
        self.rows: dict[UUID, A] = {}
        self.versions: dict[UUID, int] = {}
        self.unique = unique or {}


class MemoryRepository(Generic[A]):
    """One unit of work's view of a table: reads are copies, writes wait for `flush`."""

    def __init__(self, table: Table[A]) -> None:
        self._table = table
        self._loaded: dict[UUID, tuple[A, int]] = {}
        self._added: dict[UUID, A] = {}

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> A:
        found = self._peek(aggregate_id)
        if found is None:
            raise NotFound(self._table.kind, aggregate_id)
        return found

    def add(self, aggregate: A) -> None:
        self._added[aggregate.id] = aggregate  # type: ignore[attr-defined]

    def _peek(self, aggregate_id: UUID) -> A | None:
        if aggregate_id in self._added:
            return self._added[aggregate_id]
        if aggregate_id not in self._loaded:
            if aggregate_id not in self._table.rows:
                return None
            loaded = copy.deepcopy(self._table.rows[aggregate_id])
            self._loaded[aggregate_id] = (loaded, self._table.versions[aggregate_id])
        return self._loaded[aggregate_id][0]

    def _where(self, predicate: Callable[[A], bool]) -> Iterator[A]:
        for aggregate_id in {**self._table.rows, **self._added}:
            aggregate = self._peek(aggregate_id)
            if aggregate is not None and predicate(aggregate):
                yield aggregate

    def check(self) -> None:
        """Raise what a commit would: a changed version or a taken unique key."""
        for aggregate_id, (aggregate, version) in self._loaded.items():
            stored = self._table.rows[aggregate_id]
            if _changed(aggregate, stored) and self._table.versions[aggregate_id] != version:
                raise StaleVersion("It was changed meanwhile: load it again.")
        pending = {**{i: a for i, (a, _) in self._loaded.items()}, **self._added}
        for key_of, error in self._table.unique.items():
            taken = {
                key_of(row): row_id
                for row_id, row in {**self._table.rows, **pending}.items()
                if row_id not in self._added
            }
            for aggregate_id, aggregate in self._added.items():
                key = key_of(aggregate)
                if key is not None and taken.setdefault(key, aggregate_id) != aggregate_id:
                    raise error()
        if self._added.keys() & self._table.rows.keys():
            raise AlreadyExists("It exists already.")

    def flush(self) -> None:
        pending = {**{i: a for i, (a, _) in self._loaded.items()}, **self._added}
        for aggregate_id, aggregate in pending.items():
            before = self._table.rows.get(aggregate_id)
            if before is None or _changed(aggregate, before):
                self._table.rows[aggregate_id] = copy.deepcopy(aggregate)
                self._table.versions[aggregate_id] = self._table.versions.get(aggregate_id, 0) + 1
        self._loaded.clear()
        self._added.clear()


def _changed(a: object, b: object) -> bool:
    return vars(a) != vars(b)

"""A table of objects, newest first, with an index for every list that a request can ask for.

Objects are the JSON dictionaries that go over the wire, holding ids where Stripe can expand.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from entrypoints.sandbox.stripe.errors import no_such

Object = dict[str, Any]


class Table:
    """One kind of object. `indexed` fields never change once an object is added."""

    def __init__(self, *indexed: str, noun: str) -> None:
        self.noun = noun
        self._indexed = indexed
        self._rows: dict[str, Object] = {}
        self._owner: dict[str, str] = {}
        self._sequence: dict[str, int] = {}
        self._lists: defaultdict[tuple[str, str, Any], list[str]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._rows.values())

    def add(self, owner: str, row: Object) -> Object:
        identifier = row["id"]
        self._rows[identifier] = row
        self._owner[identifier] = owner
        self._sequence[identifier] = len(self._sequence)
        self._lists[owner, "", None].append(identifier)
        for name in self._indexed:
            if row.get(name) is not None:
                self._lists[owner, name, row[name]].append(identifier)
        return row

    def find(self, owner: str, identifier: str) -> Object | None:
        """The object, if that account owns it: to anybody else it does not exist."""
        return self._rows.get(identifier) if self._owner.get(identifier) == owner else None

    def peek(self, identifier: str) -> Object | None:
        """The object whoever owns it: for what already holds its id."""
        return self._rows.get(identifier)

    def owner(self, identifier: str) -> str:
        return self._owner[identifier]

    def get(self, owner: str, identifier: str, *, param: str = "id") -> Object:
        row = self.find(owner, identifier)
        if row is None:
            raise no_such(self.noun, identifier, param=param)
        return row

    def set_once(self, row: Object, name: str, value: Any) -> None:
        """Fill an indexed field that was empty when the object was added."""
        row[name] = value
        self._lists[self._owner[row["id"]], name, value].append(row["id"])

    def remove(self, identifier: str) -> None:
        del self._rows[identifier]

    def index_for(self, asked: dict[str, Any]) -> tuple[str, Any]:
        """The index that narrows a list most cheaply: the first of ours that is asked for."""
        for name in self._indexed:
            if name in asked:
                return name, asked[name]
        return "", None

    def newest_first(
        self, owner: str, *, index: tuple[str, Any], after: str | None = None
    ) -> Iterator[Object]:
        """Walk one list from the newest, or from just below the object `after`."""
        identifiers = self._lists.get((owner, *index), [])
        end = len(identifiers)
        if after is not None:
            sequence = self._sequence[after]
            end = bisect_left(identifiers, sequence, key=self._sequence.__getitem__)
        for position in range(end - 1, -1, -1):
            row = self._rows.get(identifiers[position])
            if row is not None:
                yield row

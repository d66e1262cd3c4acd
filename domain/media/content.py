"""Bytes that can be looked into anywhere without being held in memory."""

from typing import Protocol


class Content(Protocol):
    """What `bytes` and a memory-mapped file have in common. Slices are copies."""

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> bytes: ...

    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...

    def rfind(self, sub: bytes, start: int = ..., end: int = ..., /) -> int: ...

"""Seals that are remembered, for the tests of use cases."""


class MemorySeals:
    def __init__(self) -> None:
        self._sealed: dict[tuple[str, str], bytes] = {}

    def seal(self, purpose: str, content: bytes) -> str:
        token = f"{purpose}-{content.hex()}"
        self._sealed[purpose, token] = content
        return token

    def open(self, purpose: str, token: str) -> bytes | None:
        return self._sealed.get((purpose, token))

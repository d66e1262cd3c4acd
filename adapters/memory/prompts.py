"""A prompt enhancer that adds the same words to every prompt, and fails when it is told to."""

from application.ports.engines import PromptWish
from application.ports.errors import ProviderError

ADDED = "soft morning light, 85 mm lens"


class MemoryPrompts:
    """See `application.ports.engines.PromptEnhancer`. `wishes` lists what was asked for, `added`
    is what it adds."""

    def __init__(self, *, added: str = ADDED) -> None:
        self.wishes: list[PromptWish] = []
        self.added = added
        self._failures: list[ProviderError] = []

    def fail_next(self, error: ProviderError) -> None:
        self._failures.append(error)

    async def enhance(self, wish: PromptWish) -> str:
        self.wishes.append(wish)
        if self._failures:
            raise self._failures.pop(0)
        richer = (
            f"{wish.prompt}, {wish.style}, {self.added}"
            if wish.style
            else (f"{wish.prompt}, {self.added}")
        )
        if len(richer) <= wish.max_chars:
            return richer
        return (
            richer[: wish.max_chars + 1].rpartition(" ")[0].rstrip(" ,") or richer[: wish.max_chars]
        )

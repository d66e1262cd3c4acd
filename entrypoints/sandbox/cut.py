"""A response that never arrives, for handlers whose other answers are ordinary responses."""

from typing import Any

from litestar import Response
from litestar.types import ASGIApp

from entrypoints.sandbox.failures import ConnectionCut


class CutResponse(Response[None]):
    """Litestar renders a Response by asking it for an ASGI response: this one gives the cut."""

    def __init__(self) -> None:
        super().__init__(None)

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]
        return ConnectionCut()

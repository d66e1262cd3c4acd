"""How many faces an image shows; not whose."""

from typing import Protocol

from domain.media.looks import GreyImage


class FaceDetector(Protocol):
    async def count(self, image: GreyImage) -> int:
        """Faces that look more or less at the camera and take up a good part of the image. Raises
        Unavailable when too many images are waiting."""
        ...

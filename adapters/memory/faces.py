"""Faces that somebody has told of, for the tests of use cases."""

from domain.media.looks import GreyImage, fingerprint


class MemoryFaces:
    """See `application.ports.faces.FaceDetector`. It sees what it was told is there, and `usually`
    so many faces elsewhere."""

    def __init__(self, *, usually: int = 0) -> None:
        self.usually = usually
        self._told: dict[str, int] = {}

    def tell(self, image: GreyImage, faces: int) -> None:
        self._told[fingerprint(image)] = faces

    async def count(self, image: GreyImage) -> int:
        return self._told.get(fingerprint(image), self.usually)

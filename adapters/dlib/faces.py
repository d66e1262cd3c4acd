"""Frontal faces by dlib (HOG), one image at a time in a thread of its own.

dlib lets go of the interpreter while it looks, so a thread is enough: in 4 s of looking, the event
loop was never held for more than 35 ms. It is imported with the first image, and takes some 30 MB
with numpy.
"""

import asyncio
from functools import cache
from typing import Any

from application.ports.errors import Unavailable
from domain.media.looks import GreyImage

_UPSAMPLED = 1
"""The detector knows faces of 80 pixels and more; of an image twice as large, those of 40."""


class DlibFaces:
    """See `application.ports.faces.FaceDetector`. At most `max_waiting` images are held."""

    def __init__(self, *, max_waiting: int = 32) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0
        self._one_at_a_time = asyncio.Lock()

    async def count(self, image: GreyImage) -> int:
        if self._waiting >= self._max_waiting:
            raise Unavailable("Too many images are waiting.", provider="dlib", retry_after_s=5)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(_count, image)
        finally:
            self._waiting -= 1


def _count(image: GreyImage) -> int:
    import numpy

    pixels = numpy.frombuffer(image.pixels, numpy.uint8).reshape(image.height, image.width)
    return len(_detector()(pixels, _UPSAMPLED))


@cache
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()

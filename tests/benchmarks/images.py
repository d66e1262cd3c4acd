"""What images cost beyond what Pillow costs anyway."""

import io
import time
from collections.abc import Callable

from PIL import Image

from adapters.pillow import work
from tests.benchmarks.figures import Figure, at_most, middle
from tests.benchmarks.ground import Ground
from tests.pictures import picture

TWELVE_MEGAPIXELS = (4000, 3000)
ROUNDS = 3


async def thumbnail(_: Ground) -> list[Figure]:
    """Clean copy, preview and thumbnail of a 12-megapixel JPEG, with all checks.

    Baseline: Pillow decoding it and encoding the same three images at the same qualities.
    """
    content = picture("JPEG", TWELVE_MEGAPIXELS, quality=90)
    ours: list[float] = []
    plain: list[float] = []
    for _round in range(ROUNDS):
        ours.append(_ms(lambda: work.derive(content, None)))
        plain.append(_ms(lambda: _plain(content)))
    return [
        Figure(
            name="thumbnail",
            value=middle(ours),
            unit="ms",
            ratio=middle(ours) / middle(plain),
            baseline=f"Pillow alone: {middle(plain):.0f} ms",
            goal=at_most(1.5),
        )
    ]


def _plain(content: bytes) -> None:
    image = Image.open(io.BytesIO(content))
    image.load()
    image.save(io.BytesIO(), "JPEG", quality=95, subsampling=0)
    for longest_px in (work.PREVIEW_PX, work.THUMBNAIL_PX):
        image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
        image.save(io.BytesIO(), "JPEG", quality=82)


def _ms(once: Callable[[], object]) -> float:
    began = time.perf_counter()
    once()
    return (time.perf_counter() - began) * 1000

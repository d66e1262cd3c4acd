"""What images cost beyond what Pillow costs anyway."""

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from PIL import Image

from adapters.c2pa.credentials import C2paCredentials
from adapters.c2pa.development import development_material
from adapters.pillow import work
from domain.media.provenance import Claim, LicenceClaim, SourceType
from tests.benchmarks.figures import Figure, at_most, middle
from tests.benchmarks.ground import Ground
from tests.pictures import picture

TWELVE_MEGAPIXELS = (4000, 3000)
ROUNDS = 3
CLAIM = Claim(
    title="0190-opaque",
    source=SourceType.TRAINED,
    model="fal/flux-lora",
    licence=LicenceClaim(UUID(int=1), 1, "a" * 64),
    training_allowed=False,
)


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


async def sign(_: Ground) -> list[Figure]:
    """Content credentials into a generated image of 1024², as PNG and JPEG; the slower counts."""
    with tempfile.TemporaryDirectory() as folder:
        credentials = C2paCredentials(lambda: development_material(Path(folder) / "credentials"))
        slowest = 0.0
        for kind in ("PNG", "JPEG"):
            content = picture(kind, (1024, 1024))
            await credentials.sign(content, f"image/{kind.lower()}", CLAIM)
            taken: list[float] = []
            for _round in range(30):
                began = time.perf_counter()
                await credentials.sign(content, f"image/{kind.lower()}", CLAIM)
                taken.append((time.perf_counter() - began) * 1000)
            slowest = max(slowest, middle(taken))
        credentials.close()
    return [Figure(name="c2pa_sign_ms", value=slowest, unit="ms", goal=at_most(10))]


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

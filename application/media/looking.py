"""Look at an image that somebody means to train from, as it comes in."""

from application.ports.faces import FaceDetector
from application.ports.images import ImageProcessor
from domain.media.asset import AssetPurpose
from domain.media.looks import Looks, fingerprint

LONGEST_PX = 512


async def looks_of(
    content: bytes, purpose: AssetPurpose, *, images: ImageProcessor, faces: FaceDetector
) -> Looks | None:
    """None where nobody will ask. Raises ImageRefused, ImageTypeRefused, Unavailable."""
    if purpose is not AssetPurpose.TRAINING_IMAGE:
        return None
    grey = await images.grey(content, longest_px=LONGEST_PX)
    return Looks(faces=await faces.count(grey), fingerprint=fingerprint(grey))

"""An image that we keep, and who may have which copy of it.

`clean` is what the owner of an upload, or the buyer of a generated image, gets. Everybody else who
may see a generated image sees `preview` and `thumbnail`, which carry a visible mark.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Conflict, Invalid, TooLarge


class AssetPurpose(StrEnum):
    TRAINING_IMAGE = "training_image"
    SCENE_IMAGE = "scene_image"
    AVATAR = "avatar"
    BANNER = "banner"
    PRODUCT_IMAGE = "product_image"
    GENERATION = "generation"


class AssetState(StrEnum):
    """A hidden image came too late, for a generation that its owner had cancelled."""

    READY = "ready"
    HIDDEN = "hidden"


UPLOAD_LIMIT_BYTES: dict[AssetPurpose, int] = {
    AssetPurpose.TRAINING_IMAGE: 25 * 1024 * 1024,
    AssetPurpose.SCENE_IMAGE: 15 * 1024 * 1024,
    AssetPurpose.AVATAR: 5 * 1024 * 1024,
    AssetPurpose.BANNER: 10 * 1024 * 1024,
    AssetPurpose.PRODUCT_IMAGE: 15 * 1024 * 1024,
}
"""What may be uploaded, and how large. A generation is never uploaded."""


class PurposeRefused(Invalid):
    """Images of this purpose are not uploaded."""

    code = "asset_purpose_refused"


class UploadTooLarge(TooLarge):
    """The file is larger than its purpose takes."""

    code = "upload_too_large"


class AssetInUse(Conflict):
    """A listing, a model or a buyer still needs the image."""

    code = "asset_in_use"


@dataclass(eq=False, kw_only=True)
class Asset:
    """`width`, `height`, `size_bytes` and `sha256` are those of the clean copy.

    `original_key` is there for generated images only: of an upload, nothing but the clean copy is
    kept, for an original may tell where and by whom it was taken.
    """

    id: UUID
    owner_id: UUID
    purpose: AssetPurpose
    state: AssetState = AssetState.READY
    content_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    clean_key: str
    preview_key: str
    thumbnail_key: str
    original_key: str | None = None
    generation_id: UUID | None = None
    created_at: datetime

    @property
    def is_generated(self) -> bool:
        return self.purpose is AssetPurpose.GENERATION

    @property
    def keys(self) -> list[str]:
        """Every object that belongs to the asset."""
        kept = (self.original_key, self.clean_key, self.preview_key, self.thumbnail_key)
        return [key for key in kept if key is not None]

    def shows_clean_copy_to(self, user_id: UUID, *, grantees: Collection[UUID]) -> bool:
        """An upload to its owner, a generated image to those who bought it."""
        return user_id in grantees or (not self.is_generated and user_id == self.owner_id)


def check_upload(purpose: AssetPurpose, size_bytes: int) -> None:
    """Raises PurposeRefused, UploadTooLarge."""
    limit = UPLOAD_LIMIT_BYTES.get(purpose)
    if limit is None:
        allowed = ", ".join(UPLOAD_LIMIT_BYTES)
        raise PurposeRefused(
            "Images of this purpose are not uploaded.",
            fields={"purpose": [f"must be one of {allowed}"]},
        )
    if size_bytes > limit:
        megabytes = limit // (1024 * 1024)
        raise UploadTooLarge(
            f"The file is too large: at most {megabytes} MB for {purpose}.",
            fields={"file": [f"must be at most {megabytes} MB"]},
        )
    if size_bytes == 0:
        raise Invalid("The file is empty.", fields={"file": ["must not be empty"]})

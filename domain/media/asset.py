"""A piece of media that we keep, and who may have which copy of it.

`clean` is what the owner of an upload, or the buyer of something generated, gets. Everybody else
who may see what was generated sees `preview` and `thumbnail`, which carry a visible mark.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.media.looks import Looks
from domain.shared.errors import Conflict, Invalid, TooLarge


class AssetPurpose(StrEnum):
    TRAINING_IMAGE = "training_image"
    SCENE_IMAGE = "scene_image"
    AVATAR = "avatar"
    BANNER = "banner"
    PRODUCT_IMAGE = "product_image"
    PRODUCT_FILE = "product_file"
    AUDIO = "audio"
    DRIVING_VIDEO = "driving_video"
    GENERATION = "generation"


class Media(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    MODEL_3D = "model_3d"
    DOCUMENT = "document"
    ARCHIVE = "archive"


class AssetState(StrEnum):
    """What is `under_review` waits for a moderator: its owner knows of it, and nobody can use it. A
    `hidden` asset was blocked, or came too late, for a generation that its owner had cancelled."""

    READY = "ready"
    UNDER_REVIEW = "under_review"
    HIDDEN = "hidden"


UPLOAD_LIMIT_BYTES: dict[AssetPurpose, int] = {
    AssetPurpose.TRAINING_IMAGE: 25 * 1024 * 1024,
    AssetPurpose.SCENE_IMAGE: 15 * 1024 * 1024,
    AssetPurpose.AVATAR: 5 * 1024 * 1024,
    AssetPurpose.BANNER: 10 * 1024 * 1024,
    AssetPurpose.PRODUCT_IMAGE: 15 * 1024 * 1024,
}
"""Images, and how large they may be. A generation is never uploaded."""


class PurposeRefused(Invalid):
    """Files of this purpose are not uploaded."""

    code = "asset_purpose_refused"


class UploadTooLarge(TooLarge):
    """The file is larger than its purpose takes."""

    code = "upload_too_large"


class AssetUnderReview(Conflict):
    """A moderator has to look at it first."""

    code = "asset_under_review"


class AssetInUse(Conflict):
    """A listing, a model or a buyer still needs the asset."""

    code = "asset_in_use"


@dataclass(eq=False, kw_only=True)
class Asset:
    """`width`, `height`, `size_bytes` and `sha256` are those of the clean copy;
    `uploaded_sha256` that of the bytes as they were uploaded.

    An image has a size in pixels, sound and film have a duration; preview and thumbnail are there
    for what can be shown. `original_key` is there for what was generated only: of an upload,
    nothing but the clean copy is kept, for an original may tell where and by whom it was taken.
    `clean_for_owner` says that the plan under which it was generated gives its owner the clean
    copy without an order. `looks` are there for training images only.
    """

    id: UUID
    owner_id: UUID
    purpose: AssetPurpose
    media: Media = Media.IMAGE
    name: str | None = None
    state: AssetState = AssetState.READY
    content_type: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    size_bytes: int
    sha256: str
    clean_key: str
    preview_key: str | None = None
    thumbnail_key: str | None = None
    original_key: str | None = None
    generation_id: UUID | None = None
    clean_for_owner: bool = False
    created_at: datetime
    uploaded_sha256: str | None = None
    looks: Looks | None = None

    @property
    def as_delivered(self) -> str:
        """The hash by which a copy of one of our outputs is recognised when it comes back."""
        return self.uploaded_sha256 or self.sha256

    @property
    def is_generated(self) -> bool:
        return self.purpose is AssetPurpose.GENERATION

    @property
    def keys(self) -> list[str]:
        """Every object that belongs to the asset."""
        kept = (self.original_key, self.clean_key, self.preview_key, self.thumbnail_key)
        return [key for key in kept if key is not None]

    def shows_clean_copy_to(self, user_id: UUID, *, grantees: Collection[UUID]) -> bool:
        """An upload to its owner, what was generated to those who bought it, and to its owner when
        the plan says so."""
        owned = user_id == self.owner_id and (self.clean_for_owner or not self.is_generated)
        return owned or user_id in grantees


def check_upload(purpose: AssetPurpose, size_bytes: int) -> None:
    """Raises PurposeRefused, UploadTooLarge."""
    limit = UPLOAD_LIMIT_BYTES.get(purpose)
    if limit is None:
        allowed = ", ".join(UPLOAD_LIMIT_BYTES)
        raise PurposeRefused(
            "Images of this purpose are not uploaded so.",
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

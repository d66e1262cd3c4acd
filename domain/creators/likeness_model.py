"""A model of a creator's likeness, trained from the creator's own images.

Its weights are biometric data: they stay in our storage, and no answer ever names them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.media.asset import Asset, AssetPurpose
from domain.shared.errors import Invalid

MIN_IMAGES = 1
MAX_IMAGES = 50
MAX_TOTAL_BYTES = 300 * 1024 * 1024
DEFAULT_STEPS = 1000


class TrainingImagesRefused(Invalid):
    """The named images cannot be trained from."""

    code = "training_images_refused"


@dataclass(eq=False, kw_only=True)
class LikenessModel:
    """Has the id of its training job. Ready exactly when it has weights.

    `erased_at` marks a tombstone: weights that come later are not kept."""

    id: UUID
    creator_id: UUID
    trigger_word: str
    asset_ids: tuple[UUID, ...]
    steps: int
    weights_key: str | None = None
    terms_id: UUID
    terms_version: int
    terms_hash: str
    consent_id: UUID
    created_at: datetime
    erased_at: datetime | None = None

    @property
    def is_ready(self) -> bool:
        return self.weights_key is not None

    def erase(self, *, at: datetime) -> str | None:
        """Leave a tombstone; answers where the weights are that are to be erased."""
        weights_key, self.weights_key, self.erased_at = self.weights_key, None, at
        return weights_key


def check_training_images(
    asset_ids: Sequence[UUID], found: Sequence[Asset], *, owner_id: UUID
) -> None:
    """1 to 50 different training images of the owner's, together at most 300 MB.

    Raises TrainingImagesRefused. Another person's image is treated as one that does not exist.
    """
    problems: list[str] = []
    if not MIN_IMAGES <= len(asset_ids) <= MAX_IMAGES:
        problems.append(f"must name {MIN_IMAGES} to {MAX_IMAGES} images")
    if len(set(asset_ids)) != len(asset_ids):
        problems.append("must not name an image twice")
    usable = {
        asset.id
        for asset in found
        if asset.owner_id == owner_id and asset.purpose is AssetPurpose.TRAINING_IMAGE
    }
    problems += [
        f"{asset_id} is not a training image of yours"
        for asset_id in dict.fromkeys(asset_ids)
        if asset_id not in usable
    ]
    if sum(asset.size_bytes for asset in found) > MAX_TOTAL_BYTES:
        problems.append(f"must be at most {MAX_TOTAL_BYTES // 1024**2} MB together")
    if problems:
        raise TrainingImagesRefused(
            "These images cannot be trained from.", fields={"asset_ids": problems}
        )

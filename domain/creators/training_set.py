"""What a likeness model is trained from: which images, and what is asked of them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.creators.common_words import COMMON_WORDS
from domain.media.asset import Asset, AssetPurpose, AssetState
from domain.shared.errors import Invalid

MIN_IMAGES = 1
MAX_IMAGES = 50
MAX_TOTAL_BYTES = 300 * 1024 * 1024


class TrainingImagesRefused(Invalid):
    """The named images cannot be trained from."""

    code = "training_images_refused"


class TriggerWordRefused(Invalid):
    """The trigger word would be found in prompts that do not mean the person."""

    code = "trigger_word_refused"


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """An image of the set; the hash is that of its clean copy, which is what is sent."""

    asset_id: UUID
    sha256: str


def manifest_hash(images: Sequence[TrainingImage]) -> str:
    """The SHA-256 of the canonical JSON of the set, in its order."""
    facts = [{"asset_id": str(image.asset_id), "sha256": image.sha256} for image in images]
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def check_trigger_word(word: str) -> None:
    """No ordinary word, for every prompt that has it would call the person.

    Raises TriggerWordRefused."""
    if word.casefold() in COMMON_WORDS:
        raise TriggerWordRefused(
            "Choose a trigger word that is no ordinary word.",
            fields={"trigger_word": ["must not be an ordinary word: add digits to it"]},
        )


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
        if asset.owner_id == owner_id
        and asset.purpose is AssetPurpose.TRAINING_IMAGE
        and asset.state is AssetState.READY
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

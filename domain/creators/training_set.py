"""What a likeness model is trained from: which images, and what is asked of them.

A bad set is paid for like a good one and makes a bad likeness, so it is looked at before. Each
image that is wrong is named with what is wrong, so that just those need to be replaced.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.creators.common_words import COMMON_WORDS
from domain.media.asset import Asset, AssetPurpose, AssetState
from domain.media.looks import bits_apart
from domain.shared.errors import Invalid

MAX_IMAGES = 50
MAX_TOTAL_BYTES = 300 * 1024 * 1024
ALIKE_BITS = 2
"""Fingerprints that differ in no more bits are those of one picture, saved again or cropped."""


class TrainingImagesRefused(Invalid):
    """The named images cannot be trained from; `reasons` names each and says why."""

    code = "training_images_refused"

    def __init__(self, problems: "Sequence[ImageProblem]") -> None:
        super().__init__("These images cannot be trained from.")
        self.facts["reasons"] = problems


class TriggerWordRefused(Invalid):
    """The trigger word would be found in prompts that do not mean the person."""

    code = "trigger_word_refused"


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """An image of the set; the hash is that of its clean copy, which is what is sent."""

    asset_id: UUID
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPolicy:
    """What the operator asks of a set. At least `one_face_percent` of the images show exactly one
    face, and none shows several. Where `warns`, sizes, likenesses and faces are pointed out and
    refuse nothing."""

    min_images: int = 4
    min_side_px: int = 512
    one_face_percent: int = 50
    warns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageProblem:
    """`asset_id` is none where it is about the set. What does not `refuse` is a warning."""

    code: str
    asset_id: UUID | None
    limit: int | None
    message: str
    refuses: bool = True

    field = "asset_ids"

    @property
    def value(self) -> str | None:
        return str(self.asset_id) if self.asset_id else None


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


def require_training_images(
    asset_ids: Sequence[UUID], found: Sequence[Asset], *, owner_id: UUID, policy: TrainingPolicy
) -> None:
    """Raises TrainingImagesRefused with every problem that refuses the set."""
    problems = problems_of(asset_ids, found, owner_id=owner_id, policy=policy)
    refusing = [problem for problem in problems if problem.refuses]
    if refusing:
        raise TrainingImagesRefused(refusing)


def problems_of(
    asset_ids: Sequence[UUID], found: Sequence[Asset], *, owner_id: UUID, policy: TrainingPolicy
) -> list[ImageProblem]:
    """All that is wrong with the set, in the order of its images; what is about all comes first.
    Another person's image is treated as one that does not exist."""
    usable = {
        asset.id: asset
        for asset in found
        if asset.owner_id == owner_id
        and asset.purpose is AssetPurpose.TRAINING_IMAGE
        and asset.state is AssetState.READY
    }
    problems = _of_the_set(asset_ids, usable, policy)
    seen: list[Asset] = []
    for asset_id in dict.fromkeys(asset_ids):
        asset = usable.get(asset_id)
        if asset is None:
            problems.append(
                _problem("image_unknown", asset_id, None, "is not a training image of yours")
            )
            continue
        problems += _of_one(asset, seen, policy)
        seen.append(asset)
    return problems


def _of_the_set(
    asset_ids: Sequence[UUID], usable: dict[UUID, Asset], policy: TrainingPolicy
) -> list[ImageProblem]:
    problems: list[ImageProblem] = []
    count = len(set(asset_ids))
    if not policy.min_images <= count <= MAX_IMAGES:
        limit = policy.min_images if count < policy.min_images else MAX_IMAGES
        said = f"must name {policy.min_images} to {MAX_IMAGES} images, and names {count}"
        problems.append(_problem("image_count", None, limit, said))
    if len(asset_ids) > count:
        problems.append(_problem("image_named_twice", None, None, "must not name an image twice"))
    if sum(asset.size_bytes for asset in usable.values()) > MAX_TOTAL_BYTES:
        megabytes = MAX_TOTAL_BYTES // 1024**2
        said = f"must be at most {megabytes} MB together"
        problems.append(_problem("images_too_large", None, megabytes, said))
    portraits = sum(asset.looks is not None and asset.looks.faces == 1 for asset in usable.values())
    if usable and portraits * 100 < policy.one_face_percent * len(usable):
        said = (
            f"{portraits} of {len(usable)} images show exactly one face; at least "
            f"{policy.one_face_percent} % have to"
        )
        problems.append(
            _problem("faces_missing", None, policy.one_face_percent, said, not policy.warns)
        )
    return problems


def _of_one(asset: Asset, seen: Sequence[Asset], policy: TrainingPolicy) -> list[ImageProblem]:
    problems: list[ImageProblem] = []

    def note(code: str, limit: int | None, message: str) -> None:
        problems.append(_problem(code, asset.id, limit, message, not policy.warns))

    shorter = min(asset.width or 0, asset.height or 0)
    if shorter < policy.min_side_px:
        note(
            "image_too_small",
            policy.min_side_px,
            f"is {asset.width} × {asset.height}: no side may be shorter than {policy.min_side_px}",
        )
    if asset.looks is not None and asset.looks.faces > 1:
        note("several_faces", 1, f"shows {asset.looks.faces} faces: only the person may be in it")
    same = next((one for one in seen if one.sha256 == asset.sha256), None)
    alike = same or next((one for one in seen if _alike(one, asset)), None)
    if same is not None:
        note("image_repeated", None, f"is the same image as {same.id}")
    elif alike is not None:
        note("image_alike", None, f"is nearly the same image as {alike.id}")
    return problems


def _alike(one: Asset, other: Asset) -> bool:
    if one.looks is None or other.looks is None:
        return False
    return bits_apart(one.looks.fingerprint, other.looks.fingerprint) <= ALIKE_BITS


def _problem(
    code: str, asset_id: UUID | None, limit: int | None, message: str, refuses: bool = True
) -> ImageProblem:
    said = f"{asset_id} {message}" if asset_id else message
    return ImageProblem(code=code, asset_id=asset_id, limit=limit, message=said, refuses=refuses)

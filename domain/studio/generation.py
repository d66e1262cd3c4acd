"""An image that somebody asked for, made from a creator's likeness under the creator's terms."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.licensing.terms import Purpose
from domain.shared.errors import Invalid, RuleRefused


class Mode(StrEnum):
    """`text` composes from the prompt alone; `photo` puts the person into a given scene."""

    TEXT = "text"
    PHOTO = "photo"


class AspectRatio(StrEnum):
    SQUARE = "1:1"
    PORTRAIT = "3:4"
    TALL = "9:16"
    LANDSCAPE = "4:3"
    WIDE = "16:9"


PIXELS: dict[AspectRatio, tuple[int, int]] = {
    AspectRatio.SQUARE: (1024, 1024),
    AspectRatio.PORTRAIT: (896, 1152),
    AspectRatio.TALL: (768, 1344),
    AspectRatio.LANDSCAPE: (1152, 896),
    AspectRatio.WIDE: (1344, 768),
}


class SceneRequired(Invalid):
    """Photo mode needs a scene, and text mode has none."""

    code = "scene_required"


class ModelNotReady(RuleRefused):
    """The creator has no trained likeness model."""

    code = "model_not_ready"


@dataclass(eq=False, kw_only=True)
class Generation:
    """Has the id of its job. Terms are those in force when it was last started."""

    id: UUID
    owner_id: UUID
    creator_id: UUID
    model_id: UUID
    mode: Mode
    prompt: str
    purpose: Purpose
    scene_asset_id: UUID | None
    seed: int
    width: int
    height: int
    terms_id: UUID
    terms_version: int
    terms_hash: str
    created_at: datetime


def check_scene(mode: Mode, scene_asset_id: UUID | None) -> None:
    """Photo mode needs a scene, text mode has none. Raises SceneRequired."""
    if (mode is Mode.PHOTO) != (scene_asset_id is not None):
        wanted = "is required in photo mode" if mode is Mode.PHOTO else "is for photo mode only"
        raise SceneRequired(f"scene_asset_id {wanted}.", fields={"scene_asset_id": [wanted]})

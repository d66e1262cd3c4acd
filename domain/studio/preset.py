"""A preset: how the camera looks, and how a still begins to move."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Invalid

MOTION_MAX = 255
VIDEO_FRAMES = 25
"""What the engines make of a still, however long it is shown."""
DURATIONS_MS = (1_000, 5_000)


class Camera(StrEnum):
    STATIC = "static"
    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    TILT_UP = "tilt_up"
    TILT_DOWN = "tilt_down"
    ZOOM_IN = "zoom_in"
    ZOOM_OUT = "zoom_out"
    ORBIT = "orbit"
    HANDHELD = "handheld"


CAMERA_WORDS: dict[Camera, str] = {
    Camera.STATIC: "static camera",
    Camera.PAN_LEFT: "camera pans left",
    Camera.PAN_RIGHT: "camera pans right",
    Camera.TILT_UP: "camera tilts up",
    Camera.TILT_DOWN: "camera tilts down",
    Camera.ZOOM_IN: "camera slowly zooms in",
    Camera.ZOOM_OUT: "camera slowly zooms out",
    Camera.ORBIT: "camera orbits the subject",
    Camera.HANDHELD: "handheld camera",
}
"""What is said of it in a prompt: no engine has a switch for it."""


class PresetInvalid(Invalid):
    """The preset asks for what no engine can do."""

    code = "preset_invalid"


@dataclass(eq=False, kw_only=True)
class Preset:
    """Without an owner it is one of the platform's, there for everybody. `motion` goes from 1
    (hardly) to 255 (a lot). With a `driving_asset_id`, who is in the picture moves as somebody
    does in that video.

    A deleted one is a tombstone, for generations name it."""

    id: UUID
    owner_id: UUID | None
    name: str
    description: str
    category: str
    camera: Camera
    motion: int
    duration_ms: int
    style: str
    driving_asset_id: UUID | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 1

    @property
    def is_default(self) -> bool:
        return self.owner_id is None

    @property
    def frames_per_second(self) -> int:
        """At which the frames that there are last as long as asked."""
        return max(1, round(VIDEO_FRAMES * 1000 / self.duration_ms))

    def styled(self, prompt: str) -> str:
        """The prompt, with what the preset says of camera and style after it."""
        words = [CAMERA_WORDS[self.camera], self.style]
        return ", ".join(part for part in (prompt.strip(), *words) if part)

    def check(self) -> None:
        """Raises PresetInvalid."""
        problems: dict[str, list[str]] = {}
        if not 1 <= self.motion <= MOTION_MAX:
            problems["motion"] = [f"must be from 1 to {MOTION_MAX}"]
        least, most = DURATIONS_MS
        if not least <= self.duration_ms <= most:
            problems["duration_ms"] = [f"must be from {least} to {most}"]
        if problems:
            raise PresetInvalid("No engine can do that.", fields=problems)

    def delete(self, *, at: datetime) -> None:
        self.name = self.description = self.category = self.style = ""
        self.driving_asset_id, self.deleted_at = None, at

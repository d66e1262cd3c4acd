"""The presets that come with the platform. Their ids never change; to change one that is shipped,
an administrator does so, and it stays changed."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.studio.preset import Camera, Preset


class Shipped(NamedTuple):
    number: int
    name: str
    description: str
    category: str
    camera: Camera
    motion: int
    duration_ms: int
    style: str = ""


SHIPPED = (
    Shipped(
        1,
        "Still portrait",
        "Hardly moves: breath, hair, eyes.",
        "portrait",
        Camera.STATIC,
        20,
        4000,
    ),
    Shipped(
        2, "Living portrait", "A head that turns a little.", "portrait", Camera.STATIC, 80, 3000
    ),
    Shipped(3, "Slow push in", "The camera comes closer.", "camera", Camera.ZOOM_IN, 90, 4000),
    Shipped(
        4,
        "Reveal",
        "The camera draws back and shows the scene.",
        "camera",
        Camera.ZOOM_OUT,
        110,
        4000,
    ),
    Shipped(5, "Pan left", "The camera looks to the left.", "camera", Camera.PAN_LEFT, 120, 3000),
    Shipped(
        6, "Pan right", "The camera looks to the right.", "camera", Camera.PAN_RIGHT, 120, 3000
    ),
    Shipped(7, "Look up", "The camera tilts up.", "camera", Camera.TILT_UP, 110, 3000),
    Shipped(8, "Orbit", "The camera goes around the subject.", "camera", Camera.ORBIT, 160, 4000),
    Shipped(9, "Handheld", "As if filmed by a friend.", "camera", Camera.HANDHELD, 140, 3000),
    Shipped(
        10,
        "Cinematic",
        "Shallow focus, film grain.",
        "style",
        Camera.ZOOM_IN,
        100,
        4000,
        "cinematic lighting, shallow depth of field, 35mm film grain",
    ),
    Shipped(
        11,
        "Runway",
        "Strong movement under hard light.",
        "style",
        Camera.TILT_DOWN,
        200,
        2000,
        "fashion editorial, hard light",
    ),
    Shipped(
        12, "Energetic", "As much movement as there can be.", "motion", Camera.HANDHELD, 255, 1000
    ),
)


def preset_id(number: int) -> UUID:
    return UUID(f"01900000-0000-7000-9000-{number:012x}")


def shipped_presets(at: datetime) -> list[Preset]:
    return [
        Preset(
            id=preset_id(one.number),
            owner_id=None,
            name=one.name,
            description=one.description,
            category=one.category,
            camera=one.camera,
            motion=one.motion,
            duration_ms=one.duration_ms,
            style=one.style,
            driving_asset_id=None,
            created_at=at,
            updated_at=at,
        )
        for one in SHIPPED
    ]

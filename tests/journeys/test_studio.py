"""Every kind of work of the studio, over the real stack: engines, ffmpeg, storage, credits."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from entrypoints.cli.demo.client import Person
from entrypoints.cli.demo.pictures import portrait
from tests.journeys.stack import Stack

EVERYTHING = ["train", "image", "video", "talking_avatar", "voice", "model_3d"]
SPEECH = {"text": "Good morning, and thank you for coming."}


@pytest.fixture(scope="module")
def studio(stack: Stack) -> Iterator[tuple[Person, str]]:
    """A fan, and a creator who licenses everything and has a trained model."""
    address = stack.settings.base_url
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as http:
        creator, fan = Person(http, "Studio", "creator"), Person(http, "Fan", "fan")
        made = creator.post(
            "/creators", {"slug": f"studio-{uuid4().hex[:8]}", "display_name": "Studio", "bio": ""}
        )["id"]
        creator.post(
            f"/creators/{made}/consents",
            {
                "text_version": "2026-11",
                "uses": EVERYTHING,
                "signer_name": "Studio",
                "adult": True,
            },
        )
        creator.post(
            f"/creators/{made}/licence-terms",
            {
                "royalty_bps": 1000,
                "capabilities": EVERYTHING,
                "subject_rights": ["face", "body", "style", "voice"],
            },
        )
        images = [
            creator.post(
                "/assets",
                files={"file": (f"{number}.png", portrait(number), "image/png")},
                data={"purpose": "training_image"},
            )["id"]
            for number in range(4)
        ]
        model = creator.post(
            f"/creators/{made}/models",
            {"trigger_word": "stud1o", "asset_ids": images, "steps": 500},
        )
        creator.wait(
            f"/creators/{made}/models/{model['id']}",
            lambda seen: seen["status"] in ("ready", "failed"),
            what="training",
        )
        yield fan, made


def test_what_its_maker_flags_is_given_to_nobody_and_costs_nothing(
    studio: tuple[Person, str],
) -> None:
    fan, creator_id = studio
    before = fan.get("/credits")
    asked = fan.post("/generations", {"creator_id": creator_id, "prompt": "at a pier [flagged]"})
    done = fan.wait(
        f"/generations/{asked['id']}",
        lambda seen: seen["status"] in ("succeeded", "failed", "expired"),
        what="a refusal",
    )
    assert (done["status"], done["error"]["code"]) == ("failed", "content_refused")
    assert done["assets"] == []
    assert done["credits"] == {"held": 0, "spent": 0}
    after = fan.get("/credits")
    assert (after["balance"], after["held"]) == (before["balance"], before["held"])


@pytest.mark.parametrize(
    ("kind", "wish", "content_type", "credits"),
    [
        ("image", {"prompt": "at a harbour", "count": 2}, "image/png", 4),
        ("image", {"prompt": "at a harbour", "upscale": 2}, "image/png", 4),
        ("video", {"prompt": "at a harbour"}, "video/mp4", 6),
        ("talking_avatar", {"prompt": "a portrait", "speech": SPEECH}, "video/mp4", 11),
        ("model_3d", {"prompt": "a portrait"}, "model/gltf-binary", 10),
        ("speech", {"speech": SPEECH}, "audio/mpeg", 1),
    ],
)
def test_what_is_asked_for_is_made(
    studio: tuple[Person, str],
    kind: str,
    wish: dict[str, Any],
    content_type: str,
    credits: int,
) -> None:
    fan, creator_id = studio
    asked = fan.post("/generations", {"creator_id": creator_id, "kind": kind, **wish})
    done = fan.wait(
        f"/generations/{asked['id']}",
        lambda seen: seen["status"] in ("succeeded", "failed", "expired"),
        what=kind,
    )
    assert (done["status"], done["error"]) == ("succeeded", None), done
    assert {step["status"] for step in done["steps"]} == {"succeeded"}
    assert done["credits"] == {"held": 0, "spent": credits}
    assert len(done["assets"]) == wish.get("count", 1)
    asset = fan.get(f"/assets/{done['assets'][0]['id']}")
    assert asset["content_type"] == content_type

"""Characters are adults with one to four images; presets ask for what engines can do."""

from uuid import UUID, uuid4

import pytest

from domain.studio.character import CharacterUnderage, ReferencesRefused, check_age
from domain.studio.default_presets import shipped_presets
from domain.studio.preset import Camera, PresetInvalid
from tests.builders import NOON, character_of, preset_of


def test_a_character_is_an_adult() -> None:
    check_age(18)
    with pytest.raises(CharacterUnderage):
        check_age(17)


@pytest.mark.parametrize("asset_ids", [[], [UUID(int=1)] * 2, [uuid4() for _ in range(5)]])
def test_one_to_four_different_images_show_a_character(asset_ids: list[UUID]) -> None:
    with pytest.raises(ReferencesRefused):
        character_of(uuid4()).show(asset_ids)


def test_a_creators_likeness_needs_no_image() -> None:
    character = character_of(uuid4(), creator_id=uuid4())
    character.show([])
    assert character.asset_ids == []


def test_images_keep_their_order() -> None:
    ids = [uuid4() for _ in range(4)]
    character = character_of(uuid4(), asset_ids=ids)
    assert character.asset_ids == ids
    character.show(ids[::-1])
    assert character.asset_ids == ids[::-1]


def test_of_a_deleted_character_nothing_is_kept_but_that_it_was() -> None:
    character = character_of(uuid4(), asset_ids=[uuid4()], description="a sailor")
    character.delete(at=NOON)
    assert character.deleted_at == NOON
    assert character.name == character.description == character.style == ""
    assert character.references == []


@pytest.mark.parametrize(
    "wrong", [{"motion": 0}, {"motion": 256}, {"duration_ms": 999}, {"duration_ms": 5001}]
)
def test_no_engine_does_more_than_it_can(wrong: dict[str, int]) -> None:
    with pytest.raises(PresetInvalid):
        preset_of(uuid4(), **wrong).check()


@pytest.mark.parametrize(("duration_ms", "frames"), [(1000, 25), (2500, 10), (4000, 6), (5000, 5)])
def test_a_preset_lasts_as_long_as_asked(duration_ms: int, frames: int) -> None:
    assert preset_of(uuid4(), duration_ms=duration_ms).frames_per_second == frames


def test_camera_and_style_are_said_in_the_prompt() -> None:
    preset = preset_of(uuid4(), camera=Camera.PAN_LEFT, style="film grain")
    assert preset.styled(" at sea ") == "at sea, camera pans left, film grain"


def test_what_is_shipped_is_right_and_different() -> None:
    shipped = shipped_presets(NOON)
    for preset in shipped:
        preset.check()
        assert preset.is_default
    assert len({preset.id for preset in shipped}) == len({p.name for p in shipped}) == len(shipped)

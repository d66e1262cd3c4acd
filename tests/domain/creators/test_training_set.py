"""What is asked of a training set, and that every image that is wrong is named."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from domain.creators.training_set import (
    ImageProblem,
    TrainingImagesRefused,
    TrainingPolicy,
    TriggerWordRefused,
    check_trigger_word,
    problems_of,
    require_training_images,
)
from domain.media.asset import Asset, AssetPurpose
from domain.media.looks import GreyImage, Looks, bits_apart, fingerprint
from tests.builders import NOON

OWNER = uuid4()
POLICY = TrainingPolicy(min_images=2, min_side_px=512, one_face_percent=50)


def image(number: int, **changes: object) -> Asset:
    """A portrait of its own: the fingerprints of two differ in many bits."""
    values = {
        "id": UUID(int=number),
        "owner_id": OWNER,
        "purpose": AssetPurpose.TRAINING_IMAGE,
        "content_type": "image/png",
        "width": 512,
        "height": 640,
        "size_bytes": 1000,
        "sha256": f"{number:064x}",
        "clean_key": f"assets/{number}",
        "created_at": NOON,
        "looks": Looks(faces=1, fingerprint=f"{0xFF << 8 * (number % 8):016x}"),
    }
    return Asset(**{**values, **changes})  # type: ignore[arg-type]


def found(images: list[Asset], policy: TrainingPolicy = POLICY) -> list[ImageProblem]:
    return problems_of([one.id for one in images], images, owner_id=OWNER, policy=policy)


def codes(images: list[Asset], policy: TrainingPolicy = POLICY) -> list[tuple[str, UUID | None]]:
    return [(one.code, one.asset_id) for one in found(images, policy)]


def looks(faces: int, bits: int = 0) -> Looks:
    return Looks(faces=faces, fingerprint=f"{bits:016x}")


def test_a_good_set_has_no_problems() -> None:
    assert found([image(number) for number in range(4)]) == []


def test_sets_that_are_too_small_or_too_large_are_refused() -> None:
    assert codes([image(1)]) == [("image_count", None)]
    many = [image(number, looks=looks(1, 0xABCDEF * number)) for number in range(1, 52)]
    assert ("image_count", None) in codes(many)
    heavy = [image(number, size_bytes=200 * 1024 * 1024) for number in range(2)]
    assert codes(heavy) == [("images_too_large", None)]


def test_each_image_that_is_wrong_is_named() -> None:
    good, twin = image(1), image(5, sha256=f"{1:064x}")
    nearly = image(2, looks=looks(1, 0xFF << 8 ^ 0b11))
    small, crowd = image(3, width=511), image(4, looks=looks(3, 0xFF << 32))
    theirs, avatar = image(6, owner_id=uuid4()), image(7, purpose=AssetPurpose.AVATAR)
    assert codes([good, twin, nearly, small, crowd, theirs, avatar]) == [
        ("image_repeated", twin.id),
        ("image_alike", nearly.id),
        ("image_too_small", small.id),
        ("several_faces", crowd.id),
        ("image_unknown", theirs.id),
        ("image_unknown", avatar.id),
    ]
    (said,) = [one for one in found([good, small]) if one.asset_id == small.id]
    assert (said.limit, said.value) == (512, str(small.id))
    assert "is 511 × 640" in said.message


@pytest.mark.parametrize(("portraits", "enough"), [(1, False), (2, True), (3, True)])
def test_half_of_them_show_exactly_one_face(portraits: int, enough: bool) -> None:
    images = [image(number) for number in range(portraits)]
    images += [image(number, looks=looks(0, 0xFF << 8 * number)) for number in range(portraits, 4)]
    assert codes(images) == ([] if enough else [("faces_missing", None)])
    assert codes(images, replace(POLICY, one_face_percent=0)) == []


def test_an_image_that_was_not_looked_at_is_no_portrait() -> None:
    images = [image(1), image(2, looks=None), image(3, looks=None)]
    assert codes(images) == [("faces_missing", None)]


def test_an_operator_may_have_it_only_pointed_out() -> None:
    images = [image(1, width=10), image(2, looks=looks(2))]
    lenient = replace(POLICY, warns=True)
    asset_ids = [one.id for one in images]
    require_training_images(asset_ids, images, owner_id=OWNER, policy=lenient)
    assert [one.refuses for one in found(images, lenient)] == [False, False]
    with pytest.raises(TrainingImagesRefused) as refused:
        require_training_images(asset_ids, images, owner_id=OWNER, policy=POLICY)
    assert len(refused.value.facts["reasons"]) == 2  # type: ignore[arg-type]
    with pytest.raises(TrainingImagesRefused):
        require_training_images([*asset_ids, uuid4()], images, owner_id=OWNER, policy=lenient)


@pytest.mark.parametrize("word", ["woman", "Portrait", "AND"])
def test_ordinary_words_call_nobody(word: str) -> None:
    with pytest.raises(TriggerWordRefused):
        check_trigger_word(word)


def test_other_words_do() -> None:
    check_trigger_word("adl4ce")
    check_trigger_word("woman7")


def test_a_fingerprint_survives_scaling_and_light_and_not_another_picture() -> None:
    def ramp(width: int, height: int, *, light: int = 0, mirrored: bool = False) -> GreyImage:
        row = [light + 200 * x // width for x in range(width)]
        line = bytes(reversed(row)) if mirrored else bytes(row)
        return GreyImage(width, height, line * height)

    one = fingerprint(ramp(512, 384))
    assert fingerprint(ramp(256, 192)) == fingerprint(ramp(512, 384, light=40)) == one
    assert bits_apart(one, fingerprint(ramp(512, 384, mirrored=True))) == 64
    assert len(fingerprint(GreyImage(1, 1, b"\x00"))) == 16

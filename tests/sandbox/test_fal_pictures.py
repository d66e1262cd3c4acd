"""The pictures that the sandbox draws: the same for the same words, and otherwise different."""

import io

import pytest
from PIL import Image

from entrypoints.sandbox import drawing
from tests.pictures import picture


def drawn(**changes: object) -> bytes:
    wishes: dict[str, object] = {
        "prompt": "a harbour",
        "seed": 1,
        "person": "a",
        "width": 256,
        "height": 320,
    }
    return drawing.draw_from_text(**(wishes | changes)).tobytes()  # type: ignore[arg-type]


def test_the_same_wish_gives_the_same_picture() -> None:
    assert drawn() == drawn()


@pytest.mark.parametrize("change", [{"prompt": "a forest"}, {"seed": 2}, {"person": "b"}])
def test_another_wish_gives_another_picture(change: dict[str, object]) -> None:
    before, after = drawn(), drawn(**change)
    different = sum(a != b for a, b in zip(before[::3], after[::3], strict=True))
    assert different > len(before[::3]) * 0.02


def test_the_picture_has_the_size_that_was_asked_for() -> None:
    image = drawing.draw_from_text(prompt="", seed=0, person="", width=768, height=1024)
    assert (image.size, image.mode) == ((768, 1024), "RGB")


def test_a_photo_keeps_its_proportions_and_grows_to_a_megapixel() -> None:
    image = drawing.draw_into_photo(picture(size=(300, 200)), prompt="x", seed=1, person="a")
    assert image.width / image.height == pytest.approx(1.5, abs=0.02)
    assert image.width * image.height == pytest.approx(1_048_576, rel=0.05)


def test_bytes_that_are_no_photo_are_refused() -> None:
    for broken in (b"", b"words", picture()[:60]):
        with pytest.raises(ValueError, match="not an image"):
            drawing.draw_into_photo(broken, prompt="x", seed=1, person="a")


@pytest.mark.parametrize(("name", "found"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_pictures_are_encoded_as_asked(name: str, found: str) -> None:
    image = drawing.refused(64, 64)
    assert Image.open(io.BytesIO(drawing.encode(image, name))).format == found

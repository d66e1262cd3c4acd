"""What every detector of faces promises. The faces are drawn: nobody's photograph is needed."""

import asyncio

import pytest

from adapters.dlib.faces import DlibFaces
from adapters.memory.faces import MemoryFaces
from application.ports.errors import Unavailable
from application.ports.faces import FaceDetector
from domain.media.looks import GreyImage
from entrypoints.cli.demo.pictures import portrait
from tests.pictures import drawn_faces, grey, picture

WALL = GreyImage(64, 48, b"\x80" * 64 * 48)
SHOWN = [
    (WALL, 0),
    (grey(picture("PNG", (640, 480))), 0),
    (grey(drawn_faces(320)), 1),
    (grey(drawn_faces(160, 480)), 2),
    (grey(drawn_faces(256, size=(512, 384), unit=0.5)), 1),
    *((grey(portrait(number)), 1) for number in range(4)),
]


@pytest.fixture(params=["memory", "dlib"])
def faces(request: pytest.FixtureRequest) -> FaceDetector:
    if request.param == "dlib":
        return DlibFaces()
    told = MemoryFaces()
    for image, count in SHOWN:
        told.tell(image, count)
    return told


async def test_faces_are_counted(faces: FaceDetector) -> None:
    assert [await faces.count(image) for image, _ in SHOWN] == [count for _, count in SHOWN]


async def test_many_at_once_are_counted_one_after_the_other(faces: FaceDetector) -> None:
    image, count = SHOWN[2]
    assert await asyncio.gather(*(faces.count(image) for _ in range(4))) == [count] * 4


async def test_too_many_at_once_are_sent_away() -> None:
    busy = DlibFaces(max_waiting=1)
    first = asyncio.create_task(busy.count(WALL))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await busy.count(WALL)
    assert await first == 0
    assert await busy.count(WALL) == 0

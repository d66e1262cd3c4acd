"""open_nsfw in its process: it answers, refuses what is no image, and outlives a crash."""

import asyncio
import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from adapters.memory.images import blank_png
from adapters.opennsfw.classifier import OpenNsfwClassifier
from application.ports.errors import Unavailable
from application.ports.images import ImageRefused


@pytest.fixture(scope="module")
def classifier() -> Iterator[OpenNsfwClassifier]:
    made = OpenNsfwClassifier()
    yield made
    made.close()


async def test_an_empty_image_is_safe(classifier: OpenNsfwClassifier) -> None:
    scores = await classifier.classify(blank_png(64, 48))
    assert scores.classifier == "open_nsfw"
    assert 0 <= scores.nsfw < 0.5


async def test_what_is_no_image_is_refused(classifier: OpenNsfwClassifier) -> None:
    for content in (b"", b"no image", blank_png(64, 48)[:50]):
        with pytest.raises(ImageRefused):
            await classifier.classify(content)


async def test_a_worker_that_was_killed_is_replaced(classifier: OpenNsfwClassifier) -> None:
    before = await classifier.classify(blank_png(64, 48))
    for child in psutil.Process().children(recursive=True):
        if "multiprocessing.spawn" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
    assert await classifier.classify(blank_png(64, 48)) == before


async def test_too_many_at_once_are_sent_away() -> None:
    busy = OpenNsfwClassifier(max_waiting=1)
    try:
        first = asyncio.create_task(busy.classify(blank_png(8, 8)))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await busy.classify(blank_png(8, 8))
        await first
    finally:
        busy.close()

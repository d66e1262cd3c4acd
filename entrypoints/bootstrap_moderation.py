"""The part of the composition root that judges texts and images."""

from contextlib import AsyncExitStack

from adapters.ahocorasick.moderator import AutomatonModerator
from adapters.ahocorasick.word_lists import shipped_lists
from adapters.opennsfw.classifier import OpenNsfwClassifier
from application.moderation.judging import Moderation
from application.ports.clock import Clock
from application.ports.ids import Ids


def moderation_of(closing: AsyncExitStack, *, clock: Clock, ids: Ids) -> Moderation:
    images = OpenNsfwClassifier()
    closing.callback(images.close)
    return Moderation(
        texts=AutomatonModerator(shipped_lists()), images=images, clock=clock, ids=ids
    )

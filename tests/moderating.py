"""Moderation for the worlds of tests: the lists that are shipped, a classifier that is told."""

from functools import cache

from adapters.ahocorasick.moderator import AutomatonModerator
from adapters.ahocorasick.word_lists import shipped_lists
from adapters.memory.moderation import MemoryImageClassifier
from application.moderation.judging import Moderation
from application.moderation.second_opinion import SecondOpinion
from application.ports.clock import Clock
from application.ports.ids import Ids


@cache
def shipped_moderator() -> AutomatonModerator:
    return AutomatonModerator(shipped_lists())


def moderation_for(
    clock: Clock,
    ids: Ids,
    *,
    images: MemoryImageClassifier | None = None,
    second: SecondOpinion | None = None,
) -> Moderation:
    return Moderation(
        texts=shipped_moderator(),
        images=images or MemoryImageClassifier(),
        clock=clock,
        ids=ids,
        second=second,
    )

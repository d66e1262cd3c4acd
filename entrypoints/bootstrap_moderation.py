"""The part of the composition root that judges texts and images."""

from contextlib import AsyncExitStack

from adapters.ahocorasick.moderator import AutomatonModerator
from adapters.ahocorasick.word_lists import shipped_lists
from adapters.openai.calls import API_URL as OPENAI_URL
from adapters.openai.calls import OpenAiCalls
from adapters.openai.moderation import OpenAiTextClassifier
from adapters.opennsfw.classifier import OpenNsfwClassifier
from adapters.system.clock import SystemClock
from application.moderation.judging import Moderation
from application.moderation.second_opinion import SecondOpinion, Unanswered
from application.ports.clock import Clock
from application.ports.ids import Ids
from entrypoints.providers import openai_access
from entrypoints.settings import Settings


def moderation_of(
    settings: Settings, closing: AsyncExitStack, *, clock: Clock, ids: Ids
) -> Moderation:
    images = OpenNsfwClassifier()
    closing.callback(images.close)
    return Moderation(
        texts=AutomatonModerator(shipped_lists()),
        images=images,
        clock=clock,
        ids=ids,
        second=_second_opinion(settings, closing),
    )


def _second_opinion(settings: Settings, closing: AsyncExitStack) -> SecondOpinion | None:
    """Its time is the machine's, not the one that a sandbox moves."""
    access = openai_access(settings)
    if not settings.moderation_model or access is None:
        return None
    calls = OpenAiCalls(
        api_key=access.api_key.reveal(),
        base_url=access.api_base or OPENAI_URL,
        timeout_s=settings.moderation_timeout_ms / 1000,
    )
    closing.push_async_callback(calls.aclose)
    return SecondOpinion(
        classifier=OpenAiTextClassifier(calls, model=settings.moderation_model),
        clock=SystemClock(),
        unanswered=Unanswered(settings.moderation_unanswered),
        timeout_s=settings.moderation_timeout_ms / 1000,
    )

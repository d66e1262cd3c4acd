"""Make a prompt richer with a language model, before anything is generated from it.

Nothing rests on the answer: it is a proposal, and whoever uses it asks for a generation as always.
A creator's licence holds for the prompt and for what became of it, so that a model cannot put in
words that the creator does not allow.
"""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec

from application.licensing.standing import LicenceRefused, Standing, standing_terms
from application.moderation.judging import ANSWER, Moderation, require_allowed_text
from application.ports.clock import Clock
from application.ports.engines import PromptEnhancer, PromptWish
from application.ports.errors import Rejected
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.licensing.consent import ConsentUse
from domain.licensing.decision import Decision, Outcome
from domain.licensing.terms import Capability, Purpose
from domain.licensing.use import Action, Use
from domain.shared.errors import NotFound, RuleRefused

MOST_CHARS = 2000
"""Of a prompt, here as where it is used."""


class EnhancePrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`creator_id` is whose likeness the prompt is for."""

    creator_id: UUID
    prompt: Annotated[
        str,
        msgspec.Meta(min_length=1, max_length=MOST_CHARS, examples=["at a harbour at dawn"]),
    ]
    style: Annotated[str, msgspec.Meta(max_length=100, examples=["film noir"])] | None = None
    purpose: Purpose = Purpose.PERSONAL


class EnhancedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    prompt: str
    enhanced: Annotated[
        str, msgspec.Meta(examples=["at a harbour at dawn, soft light, 85 mm lens"])
    ]


class PromptDeclined(RuleRefused):
    """The language model's content policy declines this prompt."""

    code = "prompt_declined"


class NoLanguageModel(RuleRefused):
    """None is set up here, so nothing makes prompts richer."""

    code = "no_language_model"


async def enhance_prompt(
    command: EnhancePrompt,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    enhancer: PromptEnhancer | None,
    moderation: Moderation,
) -> EnhancedPrompt:
    """What is asked and what is answered are judged; nobody answers for what the model has said.

    Raises NotFound, ConsentMissing, TextRefused, GenerationSuspended, NoLicence, LicenceRefused,
    PromptDeclined, NoLanguageModel; Unavailable, Rejected and OutcomeUnknown of the language model.
    """
    if enhancer is None:
        raise NoLanguageModel("This platform has no language model.")
    now = clock.now()
    async with uow:
        standing = await standing_terms(uow, command.creator_id)
    if not standing.creator.published and standing.creator.user_id != actor.user_id:
        raise NotFound("creator", command.creator_id)
    standing.require_consent(ConsentUse.IMAGE)
    written = [("prompt", command.prompt)]
    if command.style:
        written.append(("style", command.style))
    judge = partial(
        require_allowed_text,
        actor=actor,
        uow=uow,
        moderation=moderation,
        creator_id=command.creator_id,
        adult=command.purpose is Purpose.ADULT,
    )
    await judge(dict(written))
    _require_words(standing, written, purpose=command.purpose, at=now)
    enhanced = await _asked(enhancer, command.prompt, command.style)
    await judge({"enhanced": enhanced}, subject=ANSWER)
    _require_words(standing, [("enhanced", enhanced)], purpose=command.purpose, at=now)
    return EnhancedPrompt(prompt=command.prompt, enhanced=enhanced)


async def enhance_freely(prompt: str, *, enhancer: PromptEnhancer | None) -> str:
    """Where nobody's likeness is used, nobody's licence rules the words. Raises as
    `enhance_prompt` of the language model."""
    if enhancer is None:
        raise NoLanguageModel("This platform has no language model.")
    return await _asked(enhancer, prompt, None)


async def _asked(enhancer: PromptEnhancer, prompt: str, style: str | None) -> str:
    try:
        return await enhancer.enhance(PromptWish(prompt=prompt, style=style, max_chars=MOST_CHARS))
    except Rejected as error:
        if error.reason != "content_refused":
            raise
        raise PromptDeclined("The content policy declines this. Change the prompt.") from error


def _require_words(
    standing: Standing, texts: list[tuple[str, str]], *, purpose: Purpose, at: datetime
) -> None:
    """What the terms in force say of the words; the rest is asked when something is made of them.
    Raises NoLicence, LicenceRefused."""
    use = Use(
        action=Action.GENERATE,
        at=at,
        capability=Capability.IMAGE,
        purpose=purpose,
        texts=tuple(texts),
        creator_name=standing.creator.display_name,
    )
    named = {field for field, _ in texts}
    reasons = tuple(reason for reason in standing.decide(use).reasons if reason.field in named)
    if reasons:
        raise LicenceRefused(Decision(Outcome.DENY, reasons))

"""Prompts: made richer before something is generated from them."""

from litestar import Router, post
from litestar.params import JSONBody

from application.licensing.standing import LicenceRefused, NoLicence
from application.moderation.judging import TextRefused
from application.ports.errors import OutcomeUnknown, Unavailable
from application.studio.prompts import (
    EnhancedPrompt,
    EnhancePrompt,
    NoLanguageModel,
    PromptDeclined,
    enhance_prompt,
)
from domain.licensing.consent import ConsentMissing
from domain.moderation.strikes import GenerationSuspended
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.parameters import TheClock, TheModeration, ThePromptEnhancer, TheUnitOfWork


@post(
    "/enhance",
    status_code=200,
    opt=idempotent(),
    responses=errors(
        NotFound,
        ConsentMissing,
        TextRefused,
        GenerationSuspended,
        NoLicence,
        LicenceRefused,
        PromptDeclined,
        NoLanguageModel,
        Unavailable,
        OutcomeUnknown,
    ),
)
async def enhance(
    data: JSONBody[EnhancePrompt],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    prompt_enhancer: ThePromptEnhancer,
    moderation: TheModeration,
) -> Data[EnhancedPrompt]:
    """A richer prompt, as a proposal. What is sent and what comes back are judged, and the
    creator's licence holds for both."""
    return Data(
        await enhance_prompt(
            data,
            actor=actor,
            uow=uow,
            clock=clock,
            enhancer=prompt_enhancer,
            moderation=moderation,
        )
    )


ROUTER = Router("/api/v1/prompts", route_handlers=[enhance], tags=["Generations"])

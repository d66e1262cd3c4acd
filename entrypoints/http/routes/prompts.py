"""Prompts: made richer before something is generated from them."""

from litestar import Router, post
from litestar.params import JSONBody

from application.licensing.standing import LicenceRefused, NoLicence
from application.ports.errors import OutcomeUnknown, Unavailable
from application.studio.prompts import (
    EnhancedPrompt,
    EnhancePrompt,
    NoLanguageModel,
    PromptDeclined,
    enhance_prompt,
)
from domain.licensing.consent import ConsentMissing
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.parameters import TheClock, ThePromptEnhancer, TheUnitOfWork


@post(
    "/enhance",
    status_code=200,
    opt=idempotent(),
    responses=errors(
        NotFound,
        ConsentMissing,
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
) -> Data[EnhancedPrompt]:
    """A richer prompt, as a proposal. The creator's licence holds for what is sent and for what
    comes back."""
    return Data(
        await enhance_prompt(data, actor=actor, uow=uow, clock=clock, enhancer=prompt_enhancer)
    )


ROUTER = Router("/api/v1/prompts", route_handlers=[enhance], tags=["Generations"])

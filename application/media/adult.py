"""Which uploads may show nakedness: of creators who license it, where not everybody sees them."""

from datetime import datetime
from uuid import UUID

from application.licensing.standing import standing_terms
from application.ports.unit_of_work import UnitOfWork
from domain.licensing.terms import Purpose
from domain.media.asset import AssetPurpose

UNDER_LICENCE = frozenset(
    {
        AssetPurpose.TRAINING_IMAGE,
        AssetPurpose.SCENE_IMAGE,
        AssetPurpose.DRIVING_VIDEO,
        AssetPurpose.PRODUCT_FILE,
    }
)
"""Uploads that may show nakedness, where their sender is a creator whose own terms allow adult
purposes. What everybody sees (avatars, banners, pictures of products) never may."""


async def may_be_adult(
    purpose: AssetPurpose, owner_id: UUID, *, uow: UnitOfWork, at: datetime
) -> bool:
    """By the terms in force of who sends it, where that is a creator."""
    if purpose not in UNDER_LICENCE:
        return False
    async with uow:
        creator = await uow.creators.of_user(owner_id)
        if creator is None or creator.terms_id is None:
            return False
        standing = await standing_terms(uow, creator.id)
    ends = standing.revoked_from()
    if ends is not None and ends <= at:
        return False
    return Purpose.ADULT in standing.terms_in_force().terms.purposes

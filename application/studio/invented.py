"""Leave to show an invented person: nobody's licence is asked, so nobody's likeness may be in it.

What shows the person are images of the character's owner that are still theirs and may be shown;
none of them, and nothing else that goes into the work, was made here of a creator's likeness.
"""

from collections.abc import Sequence
from uuid import UUID

from application.licensing.derivatives import require_nobody, sources_among
from application.ports.unit_of_work import UnitOfWork
from domain.media.asset import AssetState, Media
from domain.studio.character import ReferencesRefused


async def require_invented(
    reference_ids: Sequence[UUID],
    *,
    of_whom: UUID | None,
    inputs: Sequence[UUID | None],
    uow: UnitOfWork,
) -> None:
    """Within the transaction that starts the work. `inputs` is what it is made of besides. Raises
    ReferencesRefused, SourceNotLicensed."""
    references = await uow.assets.many(reference_ids)
    usable = [
        one
        for one in references
        if one.owner_id == of_whom and one.media is Media.IMAGE and one.state is AssetState.READY
    ]
    if len(usable) < len(reference_ids):
        raise ReferencesRefused(
            "The images that show the character are not there any more.",
            fields={"character_id": ["its images cannot be used"]},
        )
    others = await uow.assets.many([one for one in inputs if one is not None])
    require_nobody(await sources_among([*usable, *others], uow=uow))

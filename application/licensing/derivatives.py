"""What a work is made of, where that was itself made here.

An input is one of our outputs when it is a generated image, or an upload with the very bytes of
one that was delivered. Such a work is a derivative, and a model trained from such inputs is
trained on outputs; whose likeness they show must be among those who are asked. An upload that was
edited or encoded again is not recognised. An output that shows an invented person is nobody's, and
counts as what its owner brought.
"""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from application.licensing.standing import Standing
from application.ports.unit_of_work import UnitOfWork
from domain.media.asset import Asset
from domain.shared.errors import RuleRefused


class SourceNotLicensed(RuleRefused):
    """It would be made of an image of somebody who is no party to the licence: `creator_id`."""

    code = "source_not_licensed"


class Source(NamedTuple):
    """An input that was made here: by which generation, of whose likeness."""

    asset_id: UUID
    generation_id: UUID
    creator_id: UUID


async def sources_among(assets: Collection[Asset], *, uow: UnitOfWork) -> list[Source]:
    """Those of the inputs that were made here of somebody's likeness, in their order."""
    uploads = {asset.as_delivered for asset in assets if not asset.is_generated}
    outputs = {output.sha256: output for output in await uow.assets.outputs(uploads)}
    made_by: dict[UUID, UUID] = {}
    for asset in assets:
        output = asset if asset.is_generated else outputs.get(asset.as_delivered)
        if output is not None and output.generation_id is not None:
            made_by[asset.id] = output.generation_id
    creators = {
        generation_id: (await uow.generations.get(generation_id)).creator_id
        for generation_id in sorted(set(made_by.values()))
    }
    return [
        Source(asset_id, made, creator_id)
        for asset_id, made in made_by.items()
        if (creator_id := creators[made]) is not None
    ]


def require_nobody(sources: Collection[Source]) -> None:
    """Without a licence nothing is made of anybody's image. Raises SourceNotLicensed."""
    for source in sources:
        raise SourceNotLicensed(
            "It would be made of an image of somebody, without their licence.",
            creator_id=str(source.creator_id),
            fields={"asset_id": [str(source.asset_id)]},
        )


def require_parties(sources: Collection[Source], standing: Standing) -> None:
    """Whom the sources show is asked about the use, as creator or party; nobody else's image is
    made into another's. Raises SourceNotLicensed."""
    asked = {standing.creator.id, *(partner.creator.id for partner in standing.partners)}
    for source in sources:
        if source.creator_id not in asked:
            raise SourceNotLicensed(
                "It would be made of an image of somebody whom this licence does not name.",
                creator_id=str(source.creator_id),
                fields={"asset_id": [str(source.asset_id)]},
            )

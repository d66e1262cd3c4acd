"""What can be reported and decided about, and how each is hidden and shown again.

A kind of thing is one class here: who owns it, whether others can see it, how it is taken from
their sight. Hiding what is hidden and showing what is shown do nothing.
"""

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from application.ports.media import ERASE_BYTES, EraseBytes
from application.ports.unit_of_work import UnitOfWork
from domain.catalogue.product import ProductStatus
from domain.media.asset import Asset, AssetState
from domain.moderation.case import SubjectKind
from domain.shared.errors import Conflict, NotFound
from domain.studio.job import JobStatus
from domain.studio.publication import Publication, WorkKind


class HeldByModerators(Conflict):
    """It was hidden by the moderators and cannot be shown before they agree."""

    code = "held_by_moderators"


class Standing(NamedTuple):
    """`public`: everybody can see it."""

    owner_id: UUID
    public: bool


class Subject(Protocol):
    async def standing(self, subject_id: UUID, *, uow: UnitOfWork) -> Standing:
        """Raises NotFound."""
        ...

    async def hide(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None: ...

    async def show(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None: ...


class AssetSubject:
    """What came too late for a generation that its owner cancelled stays hidden. An upload that a
    person does not let in is erased. Where its owner was faster, there is nothing to do."""

    async def standing(self, subject_id: UUID, *, uow: UnitOfWork) -> Standing:
        return Standing((await uow.assets.get(subject_id)).owner_id, public=False)

    async def hide(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        asset = await _asset(subject_id, uow=uow)
        if asset is None:
            return
        if asset.is_generated:
            asset.state = AssetState.HIDDEN
        else:
            await uow.assets.remove(asset)
            uow.outbox.add(ERASE_BYTES, EraseBytes(asset.keys))

    async def show(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        asset = await _asset(subject_id, uow=uow)
        if asset is None:
            return
        if asset.generation_id is not None:
            job = await uow.jobs.get(asset.generation_id)
            if job.status in {JobStatus.CANCELLED, JobStatus.EXPIRED}:
                asset.state = AssetState.HIDDEN
                return
        asset.state = AssetState.READY


async def _asset(asset_id: UUID, *, uow: UnitOfWork) -> Asset | None:
    try:
        return await uow.assets.get(asset_id, lock=True)
    except NotFound:
        return None


class ProductSubject:
    """Taken off sale; put on sale again by its store, which asks its gates."""

    async def standing(self, subject_id: UUID, *, uow: UnitOfWork) -> Standing:
        product = await uow.products.get(subject_id)
        store = await uow.stores.get(product.store_id)
        return Standing(store.owner_id, public=product.is_listed)

    async def hide(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        product = await uow.products.get(subject_id, lock=True)
        if product.is_listed:
            product.status = ProductStatus.SUSPENDED
            product.frozen_for = FROZEN_FOR

    async def show(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        product = await uow.products.get(subject_id, lock=True)
        if product.frozen_for == FROZEN_FOR:
            product.status, product.frozen_for = ProductStatus.INACTIVE, None


class CreatorSubject:
    async def standing(self, subject_id: UUID, *, uow: UnitOfWork) -> Standing:
        creator = await uow.creators.get(subject_id)
        return Standing(creator.user_id, public=creator.published)

    async def hide(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        (await uow.creators.get(subject_id, lock=True)).published = False

    async def show(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        (await uow.creators.get(subject_id, lock=True)).published = True


class WorkSubject:
    """What is published of the studio: shown to nobody else while it is held. Its owner cannot
    publish it anew meanwhile. What the platform itself has published is nobody's, and no subject.
    """

    def __init__(self, kind: WorkKind) -> None:
        self._kind = kind

    async def standing(self, subject_id: UUID, *, uow: UnitOfWork) -> Standing:
        publication = await self._publication(subject_id, uow=uow)
        if publication is None or publication.owner_id is None:
            raise NotFound(self._kind, subject_id)
        return Standing(publication.owner_id, public=publication.is_published)

    async def hide(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        if (publication := await self._publication(subject_id, uow=uow)) is not None:
            publication.hold()

    async def show(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
        if (publication := await self._publication(subject_id, uow=uow)) is not None:
            publication.restore()

    async def _publication(self, subject_id: UUID, *, uow: UnitOfWork) -> Publication | None:
        found = await uow.publications.find(subject_id, lock=True)
        return found if found is not None and found.kind is self._kind else None


class RefusedSubject:
    """A refused text or file is nowhere: there is nothing to hide."""

    async def standing(self, subject_id: UUID, *, uow: UnitOfWork) -> Standing:
        raise NotFound("what was refused", subject_id)

    async def hide(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None: ...

    async def show(self, subject_id: UUID, *, uow: UnitOfWork, at: datetime) -> None: ...


FROZEN_FOR = "moderation"
"""Why a product is off sale."""

SUBJECTS: dict[SubjectKind, Subject] = {
    SubjectKind.TEXT: RefusedSubject(),
    SubjectKind.UPLOAD: RefusedSubject(),
    SubjectKind.ASSET: AssetSubject(),
    SubjectKind.PRODUCT: ProductSubject(),
    SubjectKind.CREATOR: CreatorSubject(),
    SubjectKind.TEMPLATE: WorkSubject(WorkKind.TEMPLATE),
    SubjectKind.CHARACTER: WorkSubject(WorkKind.CHARACTER),
    SubjectKind.PRESET: WorkSubject(WorkKind.PRESET),
}


async def require_not_held(kind: SubjectKind, subject_id: UUID, *, uow: UnitOfWork) -> None:
    """Asked by whoever would show a thing to others. Raises HeldByModerators."""
    if await uow.moderation_cases.holds(kind, subject_id):
        raise HeldByModerators("This is hidden until the moderators have agreed.", kind=str(kind))

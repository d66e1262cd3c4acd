"""The last step to what is delivered: say in each copy what it is, sign, remember, store.

First remembered, then stored: no copy of ours is out there that we do not know. A signature is
never twice the same, so each run stores under keys of its own, and the row of the asset names
those of one run; what a run that was killed has left is swept.
"""

import asyncio
import hashlib
from uuid import UUID

from application.media.assets import StoredRenditions
from application.ports.credentials import Parent, Signed
from application.ports.images import Derivatives, Rendition
from application.ports.storage import ObjectMissing, StoredObject
from application.ports.unit_of_work import UnitOfWork
from application.studio.workshop import Workshop
from domain.media.provenance import (
    Claim,
    LicenceClaim,
    MediaCopy,
    SignedCopy,
    SourceType,
    Verdict,
    credential_type,
)
from domain.studio.attempt import AttemptStatus
from domain.studio.generation import Generation, Mode


def source_of(mode: Mode) -> SourceType:
    """Photo mode puts a person into a photograph; all else is made by the model alone."""
    return SourceType.COMPOSITE if mode is Mode.PHOTO else SourceType.TRAINED


async def sign_and_store(
    asset_id: UUID,
    original: bytes,
    made: Derivatives,
    generation: Generation,
    *,
    workshop: Workshop,
) -> StoredRenditions:
    """Raises Unavailable when the key or our storage cannot be had: try again."""
    async with (uow := workshop.new_uow()):
        terms = await uow.terms.get(generation.terms_id)
        model = await _maker(generation, uow)
        scene_key = await _scene_key(generation, uow)
    parents = await _parents(original, scene_key, workshop=workshop)
    claim = Claim(
        title=str(asset_id),
        source=source_of(generation.mode),
        model=model,
        licence=LicenceClaim(generation.terms_id, generation.terms_version, generation.terms_hash),
        training_allowed=terms.terms.ai_training_of_outputs,
    )
    copies = {
        MediaCopy.CLEAN: (made.clean, claim, parents),
        MediaCopy.PREVIEW: (made.preview, _marked(claim), []),
        MediaCopy.THUMBNAIL: (made.thumbnail, _marked(claim), []),
    }
    signed = [
        await workshop.credentials.sign(
            rendition.content, credential_type(rendition.content), said, parents=made_from
        )
        for rendition, said, made_from in copies.values()
    ]
    rows = [
        _row(asset_id, copy, rendition, one, claim, generation, workshop=workshop)
        for (copy, (rendition, _, _)), one in zip(copies.items(), signed, strict=True)
    ]
    async with (uow := workshop.new_uow()):
        for row in rows:
            uow.signed_copies.add(row)
        await uow.commit()
    stored: list[StoredObject] = await asyncio.gather(
        *(
            workshop.storage.put(row.key, one.content, content_type=rendition.content_type)
            for row, one, (rendition, _, _) in zip(rows, signed, copies.values(), strict=True)
        )
    )
    return StoredRenditions(clean=stored[0], preview=stored[1], thumbnail=stored[2])


async def _maker(generation: Generation, uow: UnitOfWork) -> str:
    """Which engines had a part in it, in the order of their work."""
    attempts = await uow.attempts.of_job(generation.id)
    done = [
        f"{one.provider}/{one.model}" if one.model else one.provider
        for one in attempts
        if one.status is AttemptStatus.SUCCEEDED
    ]
    return ", ".join(dict.fromkeys(done)) or "unknown"


async def _scene_key(generation: Generation, uow: UnitOfWork) -> str | None:
    if generation.scene_asset_id is None:
        return None
    scenes = await uow.assets.many([generation.scene_asset_id])
    return scenes[0].clean_key if scenes else None


async def _parents(original: bytes, scene_key: str | None, *, workshop: Workshop) -> list[Parent]:
    """What the provider itself has signed, and the scene. What is damaged is no parent."""
    found = []
    kind = credential_type(original)
    report = await workshop.credentials.read(original, kind)
    if report.verdict in {Verdict.VALID, Verdict.UNTRUSTED}:
        found.append(Parent(content=original, content_type=kind))
    if scene_key is not None:
        try:
            scene = await workshop.storage.get(scene_key)
        except ObjectMissing:
            return found
        found.append(Parent(content=scene, content_type=credential_type(scene)))
    return found


def _marked(claim: Claim) -> Claim:
    return Claim(
        title=claim.title,
        source=claim.source,
        model=claim.model,
        licence=claim.licence,
        training_allowed=claim.training_allowed,
        marked=True,
    )


def _row(
    asset_id: UUID,
    copy: MediaCopy,
    rendition: Rendition,
    signed: Signed,
    claim: Claim,
    generation: Generation,
    *,
    workshop: Workshop,
) -> SignedCopy:
    sha256 = hashlib.sha256(signed.content).hexdigest()
    suffix = rendition.content_type.removeprefix("image/")
    return SignedCopy(
        id=workshop.ids.new(),
        asset_id=asset_id,
        copy=copy,
        key=f"assets/{asset_id}/{copy}-{sha256[:16]}.{suffix}",
        manifest=signed.manifest,
        claim_sha256=signed.claim_sha256,
        sha256=sha256,
        certificate_sha256=signed.certificate_sha256,
        source=claim.source,
        model=claim.model,
        creator_id=generation.creator_id,
        generation_id=generation.id,
        licence_id=claim.licence.licence_id,
        licence_version=claim.licence.version,
        licence_hash=claim.licence.hash,
        signed_at=workshop.clock.now(),
    )

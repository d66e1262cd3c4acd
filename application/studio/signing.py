"""The last step to what is delivered: say in each copy what it is, sign, remember, store.

First remembered, then stored: no copy of ours is out there that we do not know. A signature is
never twice the same, so each run stores under keys of its own, and the row of the asset names
those of one run; what a run that was killed has left is swept.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol
from uuid import UUID

from application.ports.credentials import Parent, Signed
from application.ports.storage import ObjectMissing, StoredObject
from application.ports.unit_of_work import UnitOfWork
from application.studio.workshop import Workshop
from domain.media.asset import Asset
from domain.media.provenance import (
    Claim,
    LicenceClaim,
    MediaCopy,
    SignedCopy,
    SourceType,
    Verdict,
    carried_by,
    credential_type,
)
from domain.studio.attempt import AttemptStatus
from domain.studio.generation import Generation, Mode

_SUFFIX = {"mpeg": "mp3"}


class Copy(Protocol):
    """A file that is to be delivered, as it is before it is signed."""

    @property
    def content(self) -> bytes: ...

    @property
    def content_type(self) -> str: ...


class Cut(NamedTuple):
    """A copy that moves or sounds."""

    content: bytes
    content_type: str


def source_of(mode: Mode) -> SourceType:
    """Photo mode puts a person into a photograph; all else is made by the model alone."""
    return SourceType.COMPOSITE if mode is Mode.PHOTO else SourceType.TRAINED


async def sign_and_store(
    asset_id: UUID,
    original: bytes,
    copies: Mapping[MediaCopy, Copy],
    generation: Generation,
    *,
    workshop: Workshop,
) -> dict[MediaCopy, StoredObject]:
    """The clean copy says what it was made from, the others that they are marked.

    Raises Unavailable when the key or our storage cannot be had: try again.
    """
    async with (uow := workshop.new_uow()):
        licence, training_allowed = await _licence(generation, uow)
        model = await _maker(generation, uow)
        given = await _given(generation, uow)
        source = await _source(generation, given, uow)
    claim = Claim(
        title=str(asset_id),
        source=source,
        model=model,
        licence=licence,
        training_allowed=training_allowed,
    )
    rows, contents = [], []
    for copy, unsigned in copies.items():
        is_clean = copy is MediaCopy.CLEAN
        signed = await workshop.credentials.sign(
            unsigned.content,
            credential_type(unsigned.content),
            claim if is_clean else replace(claim, marked=True),
            parents=await _parents(original, given, workshop=workshop) if is_clean else [],
        )
        rows.append(_row(asset_id, copy, unsigned, signed, claim, generation, workshop=workshop))
        contents.append(signed.content)
    async with (uow := workshop.new_uow()):
        for row in rows:
            uow.signed_copies.add(row)
        await uow.commit()
    stored = await asyncio.gather(
        *(
            workshop.storage.put(row.key, content, content_type=unsigned.content_type)
            for row, content, unsigned in zip(rows, contents, copies.values(), strict=True)
        )
    )
    return dict(zip(copies, stored, strict=True))


async def _licence(generation: Generation, uow: UnitOfWork) -> tuple[LicenceClaim | None, bool]:
    """What it was made under, and whether models may be trained on it. Of an invented person there
    is nothing to license, and no leave to train."""
    if generation.terms_id is None:
        return None, False
    terms = await uow.terms.get(generation.terms_id)
    claim = LicenceClaim(terms.id, terms.version, terms.hash)
    return claim, terms.terms.ai_training_of_outputs


async def _maker(generation: Generation, uow: UnitOfWork) -> str:
    """Which engines had a part in it, in the order of their work."""
    attempts = await uow.attempts.of_job(generation.id)
    done = [
        f"{one.provider}/{one.model}" if one.model else one.provider
        for one in attempts
        if one.status is AttemptStatus.SUCCEEDED
    ]
    return ", ".join(dict.fromkeys(done)) or "unknown"


async def _given(generation: Generation, uow: UnitOfWork) -> list[Asset]:
    """What its owner gave to be made into something else: the picture first, then the sound. A
    video whose movements are followed is not in what is made."""
    wanted = (generation.scene_asset_id, generation.source_asset_id, generation.audio_asset_id)
    found = {asset.id: asset for asset in await uow.assets.many([one for one in wanted if one])}
    return [found[one] for one in wanted if one in found]


async def _source(generation: Generation, given: Sequence[Asset], uow: UnitOfWork) -> SourceType:
    """Composite, too, where an upload went into it, or what was composite already."""
    if source_of(generation.mode) is SourceType.COMPOSITE:
        return SourceType.COMPOSITE
    for asset in given:
        said = await uow.signed_copies.of_asset(asset.id)
        if not asset.is_generated or any(one.source is SourceType.COMPOSITE for one in said):
            return SourceType.COMPOSITE
    return SourceType.TRAINED


async def _parents(original: bytes, given: Sequence[Asset], *, workshop: Workshop) -> list[Parent]:
    """What the provider itself has signed, and what was given. What is damaged is no parent."""
    found = []
    kind = carried_by(original)
    if kind is not None:
        report = await workshop.credentials.read(original, kind)
        if report.verdict in {Verdict.VALID, Verdict.UNTRUSTED}:
            found.append(Parent(content=original, content_type=kind))
    for asset in given:
        try:
            content = await workshop.storage.get(asset.clean_key)
        except ObjectMissing:
            continue
        if (kind := carried_by(content)) is not None:
            found.append(Parent(content=content, content_type=kind))
    return found


def _row(
    asset_id: UUID,
    copy: MediaCopy,
    unsigned: Copy,
    signed: Signed,
    claim: Claim,
    generation: Generation,
    *,
    workshop: Workshop,
) -> SignedCopy:
    sha256 = hashlib.sha256(signed.content).hexdigest()
    kind = unsigned.content_type.rpartition("/")[2]
    return SignedCopy(
        id=workshop.ids.new(),
        asset_id=asset_id,
        copy=copy,
        key=f"assets/{asset_id}/{copy}-{sha256[:16]}.{_SUFFIX.get(kind, kind)}",
        manifest=signed.manifest,
        claim_sha256=signed.claim_sha256,
        sha256=sha256,
        certificate_sha256=signed.certificate_sha256,
        source=claim.source,
        model=claim.model,
        creator_id=generation.creator_id,
        generation_id=generation.id,
        licence_id=claim.licence.licence_id if claim.licence else None,
        licence_version=claim.licence.version if claim.licence else None,
        licence_hash=claim.licence.hash if claim.licence else None,
        signed_at=workshop.clock.now(),
    )

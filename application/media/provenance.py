"""Where a file came from: what is said inside it, whether that holds, and what we know of it.

Anybody may ask about any file. The answer names a creator whose page is public, and nobody else.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from application.ports.credentials import ContentCredentials, LicenceStatement, Statement
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.media.asset import AssetState
from domain.media.provenance import (
    MediaCopy,
    SignedCopy,
    SourceType,
    Verdict,
    check_size,
    credential_type,
    in_plain_words,
)
from domain.shared.errors import NotFound

_HEAD_BYTES = 64
"""Enough to tell every kind."""

_SUMMARY = {
    Verdict.VALID: "Nothing was changed since it was signed, by somebody whom we trust.",
    Verdict.UNTRUSTED: "Nothing was changed since it was signed, but anybody may have signed it.",
    Verdict.INVALID: "Do not rely on what the file says of itself.",
    Verdict.NONE: "The file says nothing of where it came from.",
}


class Fate(StrEnum):
    KEPT = "kept"
    ERASED = "erased"


class ProvenanceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A code of the C2PA specification, or `manifest.…`, and what it means."""

    code: str
    message: str


class CreatorReference(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    display_name: str


class KnownCopy(msgspec.Struct, frozen=True, kw_only=True):
    """We signed this. `asset` says whether we still have it; `creator` is there while the page of
    the person who is shown is public; `exact` when these are the very bytes that we delivered."""

    asset_id: UUID
    asset: Fate
    copy: MediaCopy
    exact: bool
    signed_at: datetime
    creator: CreatorReference | None


class SignerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """As the certificate says; `timestamp` is that of a timestamp authority."""

    issuer: str | None
    common_name: str | None
    serial_number: str | None
    timestamp: str | None


class StatementDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What one signer has said. `licence` is of this platform, `digital_source_types` of the
    IPTC's list, `known` what our own records say of the claim."""

    manifest: str
    signer: SignerDetails
    generator: str | None
    actions: Sequence[str]
    models: Sequence[str]
    digital_source_types: Sequence[str]
    training_allowed: bool | None
    licence: LicenceStatement | None
    known: KnownCopy | None


class VerifiedFile(msgspec.Struct, frozen=True, kw_only=True):
    """`made_from` goes back from the file's own parents."""

    verdict: Verdict
    summary: str
    findings: Sequence[ProvenanceFinding]
    content_type: str
    sha256: str
    statement: StatementDetails | None
    made_from: Sequence[StatementDetails]


class SignedCopyDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256` is that of the whole file, `claim_sha256` that of what it says of itself. What shows
    nobody's likeness has no licence."""

    copy: MediaCopy
    manifest: str
    claim_sha256: str
    sha256: str
    certificate_sha256: str
    digital_source_type: str
    model: str
    licence: LicenceStatement | None
    signed_at: datetime


class AssetProvenance(msgspec.Struct, frozen=True, kw_only=True):
    """Empty for an upload: of what others have made we say nothing."""

    asset_id: UUID
    digital_source_type: SourceType | None
    copies: Sequence[SignedCopyDetails]


async def verify_file(
    chunks: AsyncIterator[bytes], *, uow: UnitOfWork, credentials: ContentCredentials
) -> VerifiedFile:
    """Its kind is told by its first bytes, before the rest has come. Raises
    ProvenanceTypeRefused, ProvenanceTooLarge, and Unavailable when too many files are waiting."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    kind = credential_type(head)
    hashed, size = hashlib.sha256(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        async for chunk in _joined(head, chunks):
            size += len(chunk)
            check_size(kind, size)
            hashed.update(chunk)
            yield chunk

    report = await credentials.read_stream(counted(), kind)
    digest = hashed.hexdigest()
    known = await _known(report.statements, digest, uow=uow)
    said = [_details_of(one, known.get(one.manifest)) for one in report.statements]
    return VerifiedFile(
        verdict=report.verdict,
        summary=_SUMMARY[report.verdict],
        findings=[
            ProvenanceFinding(code=code, message=in_plain_words(code)) for code in report.failures
        ],
        content_type=kind,
        sha256=digest,
        statement=said[0] if said else None,
        made_from=said[1:],
    )


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


async def provenance_of(asset_id: UUID, *, actor: Actor, uow: UnitOfWork) -> AssetProvenance:
    """For its owner and for who bought it. Raises NotFound for everybody else."""
    async with uow:
        asset = await uow.assets.get(asset_id)
        grantees = await uow.assets.grantees(asset_id)
        signed = await uow.signed_copies.of_asset(asset_id)
    if actor.user_id not in {asset.owner_id, *grantees} or asset.state is AssetState.HIDDEN:
        raise NotFound("asset", asset_id)
    delivered = [one for one in signed if one.key in asset.keys]
    return AssetProvenance(
        asset_id=asset_id,
        digital_source_type=delivered[0].source if delivered else None,
        copies=[_copy_of(one) for one in delivered],
    )


async def _known(
    statements: Sequence[Statement], digest: str, *, uow: UnitOfWork
) -> dict[str, KnownCopy]:
    """By manifest. A name alone proves nothing: the claim must be the one that we signed."""
    claims = {one.manifest: one.claim_sha256 for one in statements}
    if not claims:
        return {}
    async with uow:
        signed = [
            one
            for one in await uow.signed_copies.of_manifests(list(claims))
            if one.claim_sha256 == claims[one.manifest]
        ]
        kept = {asset.id for asset in await uow.assets.many({one.asset_id for one in signed})}
        creators = {
            creator_id: await uow.creators.get(creator_id)
            for creator_id in sorted({one.creator_id for one in signed if one.creator_id})
        }
    return {
        one.manifest: KnownCopy(
            asset_id=one.asset_id,
            asset=Fate.KEPT if one.asset_id in kept else Fate.ERASED,
            copy=one.copy,
            exact=one.sha256 == digest,
            signed_at=one.signed_at,
            creator=CreatorReference(slug=creator.slug, display_name=creator.display_name)
            if one.creator_id is not None and (creator := creators[one.creator_id]).published
            else None,
        )
        for one in signed
    }


def _details_of(said: Statement, known: KnownCopy | None) -> StatementDetails:
    return StatementDetails(
        manifest=said.manifest,
        signer=SignerDetails(
            issuer=said.issuer,
            common_name=said.common_name,
            serial_number=said.serial_number,
            timestamp=said.signed_at,
        ),
        generator=said.generator,
        actions=said.actions,
        models=said.models,
        digital_source_types=said.source_types,
        training_allowed=said.training_allowed,
        licence=said.licence,
        known=known,
    )


def _copy_of(signed: SignedCopy) -> SignedCopyDetails:
    return SignedCopyDetails(
        copy=signed.copy,
        manifest=signed.manifest,
        claim_sha256=signed.claim_sha256,
        sha256=signed.sha256,
        certificate_sha256=signed.certificate_sha256,
        digital_source_type=signed.source.uri,
        model=signed.model,
        licence=LicenceStatement(
            licence_id=licence.licence_id, version=licence.version, hash=licence.hash
        )
        if (licence := signed.licence)
        else None,
        signed_at=signed.signed_at,
    )

"""Content credentials (C2PA): statements about a file, signed into the file itself.

Signed last, for the signature covers every byte of what is delivered.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from domain.media.provenance import Claim, Verdict
from domain.shared.errors import Invalid


class SigningRefused(Invalid):
    """The content cannot carry credentials: it is damaged, or of another type than was said."""

    code = "signing_refused"


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """What a file was made from. Its own credentials, if it has any, are carried along."""

    content: bytes
    content_type: str


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The file with its credentials, and how to recognise them again."""

    content: bytes
    manifest: str
    claim_sha256: str
    certificate_sha256: str


class LicenceStatement(msgspec.Struct, frozen=True, kw_only=True):
    licence_id: UUID
    version: int
    hash: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What one manifest says. Empty where it is silent; `signed_at` is a timestamp authority's.

    `actions`, `models` and `source_types` are in the order in which they happened.
    """

    manifest: str
    claim_sha256: str
    title: str | None = None
    generator: str | None = None
    issuer: str | None = None
    common_name: str | None = None
    serial_number: str | None = None
    signed_at: str | None = None
    actions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()
    training_allowed: bool | None = None
    licence: LicenceStatement | None = None


class CredentialReport(msgspec.Struct, frozen=True, kw_only=True):
    """`statements`: that about the file itself first, then of what it was made from, and so on.

    `failures` are the codes of the specification, and `manifest.missing`, `manifest.unreadable`.
    """

    verdict: Verdict
    failures: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


class CertificateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`not_after` is a Unix time. A development certificate is one that we made ourselves."""

    sha256: str
    subject: str
    issuer: str
    not_after: float
    development: bool


class ContentCredentials(Protocol):
    """PNG, JPEG, WebP, GIF, MP4, MP3, WAV and FLAC."""

    async def sign(
        self, content: bytes, content_type: str, claim: Claim, *, parents: Sequence[Parent] = ()
    ) -> Signed:
        """Raises SigningRefused; Unavailable when the key or the timestamp cannot be had.

        With parents the file says that it was edited, without them that it was created.
        """
        ...

    async def read(self, content: bytes, content_type: str) -> CredentialReport:
        """Never trusts the content: bounded time and memory, whatever it holds. Raises
        Unavailable when too many files are waiting."""
        ...

    async def read_stream(
        self, chunks: AsyncIterator[bytes], content_type: str
    ) -> CredentialReport:
        """The same of a file that is never held in memory. What `chunks` raises is passed on."""
        ...

    async def certificate(self) -> CertificateFacts:
        """The one that signs now. Raises Unavailable when there is none that can."""
        ...

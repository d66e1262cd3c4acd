"""Content credentials as a line behind the file, for the tests of use cases.

Like the real ones they are lost when a picture is saved anew, and break when a byte changes.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import msgspec

from application.ports.credentials import (
    CertificateFacts,
    CredentialReport,
    LicenceStatement,
    Parent,
    Signed,
    SigningRefused,
    Statement,
)
from domain.media.provenance import (
    Claim,
    ProvenanceTypeRefused,
    Verdict,
    credential_type,
)

_MARK = b"\nmemory-credentials:"


class _Trailer(msgspec.Struct):
    statements: tuple[Statement, ...]
    sha256: str
    seal: str


class MemoryCredentials:
    """See `application.ports.credentials.ContentCredentials`. Trusts those with its own `root`."""

    def __init__(self, *, root: str = "Likeness development") -> None:
        self._root = root

    async def sign(
        self, content: bytes, content_type: str, claim: Claim, *, parents: Sequence[Parent] = ()
    ) -> Signed:
        try:
            found = credential_type(content)
        except ProvenanceTypeRefused as error:
            raise SigningRefused("This is no picture.") from error
        if found != content_type:
            raise SigningRefused(f"This is {found}, not {content_type}.")
        manifest = f"urn:c2pa:{uuid4()}"
        made = ("c2pa.opened", "c2pa.edited") if parents else ("c2pa.created",)
        licence = claim.licence
        statement = Statement(
            manifest=manifest,
            claim_sha256=hashlib.sha256(manifest.encode()).hexdigest(),
            title=claim.title,
            generator="Likeness",
            issuer=self._root,
            common_name="memory",
            serial_number="1",
            actions=(*made, *(("c2pa.resized", "c2pa.addedText") if claim.marked else ())),
            models=(claim.model,),
            source_types=(claim.source.uri,),
            training_allowed=claim.training_allowed,
            licence=LicenceStatement(
                licence_id=licence.licence_id, version=licence.version, hash=licence.hash
            )
            if licence
            else None,
        )
        before = [_parted(parent.content)[1] for parent in parents]
        statements = (statement, *(s for one in before if one for s in one.statements))
        digest = hashlib.sha256(content).hexdigest()
        trailer = _Trailer(statements, digest, _seal(statements, digest))
        return Signed(
            content=content + _MARK + msgspec.json.encode(trailer),
            manifest=manifest,
            claim_sha256=statement.claim_sha256,
            certificate_sha256=hashlib.sha256(self._root.encode()).hexdigest(),
        )

    async def read(self, content: bytes, content_type: str) -> CredentialReport:
        if _MARK not in content:
            return CredentialReport(verdict=Verdict.NONE, failures=("manifest.missing",))
        plain, trailer = _parted(content)
        if trailer is None or trailer.seal != _seal(trailer.statements, trailer.sha256):
            return CredentialReport(verdict=Verdict.INVALID, failures=("manifest.unreadable",))
        verdict, failures = Verdict.VALID, list[str]()
        if trailer.statements[0].issuer != self._root:
            verdict = Verdict.UNTRUSTED
            failures.append("signingCredential.untrusted")
        if hashlib.sha256(plain).hexdigest() != trailer.sha256:
            verdict = Verdict.INVALID
            failures.append("assertion.dataHash.mismatch")
        return CredentialReport(
            verdict=verdict, failures=tuple(failures), statements=trailer.statements
        )

    async def read_stream(
        self, chunks: AsyncIterator[bytes], content_type: str
    ) -> CredentialReport:
        return await self.read(b"".join([chunk async for chunk in chunks]), content_type)

    async def certificate(self) -> CertificateFacts:
        return CertificateFacts(
            sha256=hashlib.sha256(self._root.encode()).hexdigest(),
            subject="CN=memory",
            issuer=f"CN={self._root}",
            not_after=4_102_444_800.0,
            development=True,
        )


def _parted(content: bytes) -> tuple[bytes, _Trailer | None]:
    plain, _, line = content.partition(_MARK)
    try:
        return plain, msgspec.json.decode(line, type=_Trailer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return plain, None


def _seal(statements: tuple[Statement, ...], digest: str) -> str:
    said = json.dumps([msgspec.to_builtins(statements), digest], default=str).encode()
    return hmac.digest(b"memory", said, "sha256").hex()

"""Content credentials by the library of the C2PA's own initiative.

One thread of each process signs, with a signer of its own: signers are not inherited over a fork,
and signing 1 megapixel, or a short film, takes a few milliseconds. What strangers send is read by
another process. The library is loaded when the first file is signed.
"""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from adapters.c2pa.manifests import PARENT, claim_hashes, definition_of
from adapters.c2pa.reading import IsolatedReader, reading_settings
from adapters.c2pa.signers import (
    Material,
    SigningMaterial,
    fingerprint_of,
    leaf_of,
    open_signer,
)
from application.ports.credentials import (
    CertificateFacts,
    CredentialReport,
    Parent,
    Signed,
    SigningRefused,
)
from application.ports.errors import Unavailable
from domain.media.provenance import Claim

if TYPE_CHECKING:
    import c2pa

P = ParamSpec("P")
T = TypeVar("T")
_PROVIDER = "credentials"


class C2paCredentials:
    """See `application.ports.credentials.ContentCredentials`. `close()` when done.

    `material` is asked once in each process, when it is first needed, and may read files.
    """

    def __init__(self, material: Material) -> None:
        self._open_material = material
        self._material: SigningMaterial | None = None
        self._reader = IsolatedReader()
        self._desk: _Desk | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._pid = 0

    async def sign(
        self, content: bytes, content_type: str, claim: Claim, *, parents: Sequence[Parent] = ()
    ) -> Signed:
        return await self._in_thread(self._sign, content, content_type, claim, parents)

    async def read(self, content: bytes, content_type: str) -> CredentialReport:
        material = await self._in_thread(self._opened)
        return await self._reader.read(content, content_type, material.anchors)

    async def read_stream(
        self, chunks: AsyncIterator[bytes], content_type: str
    ) -> CredentialReport:
        material = await self._in_thread(self._opened)
        return await self._reader.read_stream(chunks, content_type, material.anchors)

    async def certificate(self) -> CertificateFacts:
        return await self._in_thread(self._facts)

    def close(self) -> None:
        self._reader.close()
        if self._threads is not None and self._pid == os.getpid():
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = None

    async def _in_thread(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._threads is None or self._pid != os.getpid():
            self._pid, self._desk = os.getpid(), None
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="credentials")
        return await asyncio.wrap_future(self._threads.submit(job, *args, **kwargs))

    def _opened(self) -> SigningMaterial:
        if self._material is None:
            try:
                self._material = self._open_material()
            except (OSError, ValueError) as error:
                raise Unavailable(
                    f"There is no certificate to sign with: {error}", provider=_PROVIDER
                ) from error
        return self._material

    def _facts(self) -> CertificateFacts:
        return facts_of(self._opened())

    def _sign(
        self, content: bytes, content_type: str, claim: Claim, parents: Sequence[Parent]
    ) -> Signed:
        if self._desk is None:
            self._desk = _Desk(self._opened())
        return self._desk.sign(content, content_type, claim, parents)


class _Desk:
    """What one thread of one process signs with."""

    def __init__(self, material: SigningMaterial) -> None:
        import c2pa

        self._c2pa = c2pa
        self._certificate_sha256 = fingerprint_of(leaf_of(material.signer.certificates))
        self._version = version("likeness")
        settings = {
            **reading_settings(material.anchors),
            "builder": {"thumbnail": {"enabled": False}},
        }
        self._context = c2pa.Context.from_dict(settings)
        self._unverified = c2pa.Context.from_dict({"verify": {"verify_after_reading": False}})
        try:
            self._signer = open_signer(material)
        except c2pa.C2paError as error:
            raise Unavailable(f"The key cannot sign: {error}", provider=_PROVIDER) from error

    def sign(
        self, content: bytes, content_type: str, claim: Claim, parents: Sequence[Parent]
    ) -> Signed:
        definition = definition_of(claim, version=self._version, parents=len(parents))
        signed = io.BytesIO()
        try:
            with self._c2pa.Builder(json.dumps(definition), context=self._context) as builder:
                for number, parent in enumerate(parents):
                    _add_parent(builder, f"{PARENT}{number}", parent, first=number == 0)
                manifest = builder.sign(self._signer, content_type, io.BytesIO(content), signed)
            with self._c2pa.Reader(
                "application/c2pa", io.BytesIO(manifest), context=self._unverified
            ) as reader:
                active, hashes = claim_hashes(reader.detailed_json())
        except self._c2pa.C2paError.Signature as error:
            raise Unavailable(f"The file was not signed: {error}", provider=_PROVIDER) from error
        except self._c2pa.C2paError as error:
            raise SigningRefused(f"The file cannot be signed: {error}") from error
        return Signed(
            content=signed.getvalue(),
            manifest=active,
            claim_sha256=hashes[active],
            certificate_sha256=self._certificate_sha256,
        )


def facts_of(material: SigningMaterial) -> CertificateFacts:
    leaf = leaf_of(material.signer.certificates)
    return CertificateFacts(
        sha256=fingerprint_of(leaf),
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        development=material.development,
    )


def _add_parent(builder: "c2pa.Builder", name: str, parent: Parent, *, first: bool) -> None:
    """A file has one parent; what else went into it are its components."""
    ingredient = {
        "title": name,
        "relationship": "parentOf" if first else "componentOf",
        "instance_id": name,
    }
    builder.add_ingredient_from_stream(
        json.dumps(ingredient), parent.content_type, io.BytesIO(parent.content)
    )

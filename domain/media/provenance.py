"""What is said inside a file about where it came from, and what we remember of having said it.

A claim names a licence, a model and a way of making, by opaque ids: no person. It is signed last,
into the very bytes that are delivered; whoever saves the picture anew, loses it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.media.clips import sniff_audio, sniff_video
from domain.media.formats import sniff_image
from domain.shared.errors import TooLarge, UnsupportedType

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_MB = 1024 * 1024
MAX_FILM_BYTES = 512 * _MB
MAX_FILE_BYTES = 50 * _MB
"""A film is read piece by piece; a picture or a sound is held in memory while it is."""
_SOUNDS = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac"}


class SourceType(StrEnum):
    """How a file was made, in the words of the IPTC's list of digital source types."""

    TRAINED = "trainedAlgorithmicMedia"
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"

    @property
    def uri(self) -> str:
        return IPTC + self.value


class MediaCopy(StrEnum):
    """Which of an asset's files was signed."""

    CLEAN = "clean"
    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"


class Verdict(StrEnum):
    """`valid`: nothing was changed since somebody signed whom we trust. `untrusted`: nothing was
    changed, but anybody may have signed. `invalid`: changed, or signed wrongly. `none`: the file
    says nothing."""

    VALID = "valid"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    NONE = "none"


class ProvenanceTypeRefused(UnsupportedType):
    """Files of this kind carry no content credentials that we read."""

    code = "provenance_type_refused"


class ProvenanceTooLarge(TooLarge):
    """A file of this kind is read up to a size, and this one is larger."""

    code = "provenance_too_large"


@dataclass(frozen=True, slots=True)
class LicenceClaim:
    """The terms under which something was made."""

    licence_id: UUID
    version: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What we say of one file. `title` and `licence` are opaque; `model` is who drew it. Without a
    licence it shows nobody's likeness.

    `marked` says that this copy was made smaller and carries a visible mark.
    """

    title: str
    source: SourceType
    model: str
    licence: LicenceClaim | None
    training_allowed: bool
    marked: bool = False


@dataclass(eq=False, kw_only=True)
class SignedCopy:
    """We have signed this file. Kept when the asset is erased: who meets a copy may still ask.

    `manifest` is the name of the claim inside the file, `claim_sha256` the hash of the claim,
    `sha256` that of the whole file, `certificate_sha256` that of the certificate. What shows an
    invented person has neither creator nor licence.
    """

    id: UUID
    asset_id: UUID
    copy: MediaCopy
    key: str
    manifest: str
    claim_sha256: str
    sha256: str
    certificate_sha256: str
    source: SourceType
    model: str
    creator_id: UUID | None
    generation_id: UUID
    licence_id: UUID | None
    licence_version: int | None
    licence_hash: str | None
    signed_at: datetime

    @property
    def licence(self) -> LicenceClaim | None:
        if self.licence_id is None or self.licence_version is None or self.licence_hash is None:
            return None
        return LicenceClaim(self.licence_id, self.licence_version, self.licence_hash)


def xmp_packet(source: SourceType) -> str:
    """The same in the older words of the IPTC, which photo archives read."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{source.uri}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def credential_type(head: bytes) -> str:
    """The media type by the first bytes, whatever the file is called.

    Raises ProvenanceTypeRefused.
    """
    found = carried_by(head)
    if found is not None:
        return found
    message = "Send a PNG, JPEG, WebP, GIF, MP4, MP3, WAV or FLAC file."
    if _is_silent(head):
        message = f"Files of this kind cannot carry content credentials. {message}"
    raise ProvenanceTypeRefused(message, fields={"file": [message]})


def carried_by(head: bytes) -> str | None:
    """The media type of what can carry content credentials, by its first bytes."""
    image = sniff_image(head)
    if image is not None:
        return f"image/{image}"
    if sniff_video(head) == "mp4":
        return "video/mp4"
    return _SOUNDS.get(sniff_audio(head) or "")


def _is_silent(head: bytes) -> bool:
    """What we make or take in, and nobody can sign: meshes, WebM and Ogg."""
    return head[:4] == b"glTF" or sniff_video(head) is not None or sniff_audio(head) is not None


def check_size(media_type: str, size_bytes: int) -> None:
    """Raises ProvenanceTooLarge."""
    most = MAX_FILM_BYTES if media_type == "video/mp4" else MAX_FILE_BYTES
    if size_bytes > most:
        raise ProvenanceTooLarge(
            f"A file of type {media_type} may have {most // _MB} MB.",
            max_bytes=most,
            size_bytes=size_bytes,
        )


_FINDINGS = {
    "assertion.dataHash.mismatch": "The file was changed after it was signed.",
    "assertion.bmffHash.mismatch": "The film was changed after it was signed.",
    "assertion.hashedURI.mismatch": "A statement in the file was changed after it was signed.",
    "assertion.missing": "A statement that was signed is missing from the file.",
    "assertion.undeclared": "The file holds a statement that was not signed.",
    "claimSignature.mismatch": "The signature does not fit what the file says.",
    "claimSignature.missing": "The file's statements are not signed.",
    "claimSignature.outsideValidity": "The certificate was not valid when the file was signed.",
    "claim.missing": "The file holds no statement.",
    "signingCredential.untrusted": "The signer is nobody whom we trust.",
    "signingCredential.invalid": "The signer's certificate is not one for signing files.",
    "signingCredential.expired": (
        "The signer's certificate has expired, and no timestamp says that it was signed before."
    ),
    "signingCredential.revoked": "The signer's certificate was withdrawn.",
    "timeStamp.mismatch": "The timestamp belongs to another signature.",
    "timeStamp.untrusted": "The timestamp comes from nobody whom we trust.",
    "ingredient.hashedURI.mismatch": "What the file was made from was changed.",
    "manifest.unreadable": "The statements in the file cannot be read: they were damaged.",
    "manifest.missing": (
        "The file carries no content credentials: it never had any, or it was saved anew."
    ),
}


def in_plain_words(code: str) -> str:
    """What a code of validation means to somebody who has the file before them."""
    known = _FINDINGS.get(code)
    if known is not None:
        return known
    return f"The file does not pass the check {code}."

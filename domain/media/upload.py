"""A file on its way in: sent in parts, checked, and then an asset or refused.

Bytes are reserved when an upload begins, so that what is on its way and what is there never exceed
what its owner may keep; the reservation ends with the upload, however it ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.media.asset import UPLOAD_LIMIT_BYTES, AssetPurpose, PurposeRefused, UploadTooLarge
from domain.media.formats import FileFormat
from domain.shared.errors import Conflict, Gone, Invalid, RuleRefused

MIB = 1024 * 1024
UPLOAD_LIFE = timedelta(hours=24)
PART_LINK_LIFE = timedelta(minutes=15)
MAX_PARTS = 10_000
MIN_PART_BYTES = 5 * MIB
_USUAL_PART_BYTES = 8 * MIB
MAX_DECODED_BYTES = 50 * MIB
"""An image is decoded and written anew, whatever it is for: it has to fit into memory."""

IMAGES = frozenset({FileFormat.PNG, FileFormat.JPEG, FileFormat.GIF, FileFormat.WEBP})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeRule:
    limit_bytes: int
    formats: frozenset[FileFormat]


RULES: Mapping[AssetPurpose, PurposeRule] = {
    purpose: PurposeRule(limit_bytes=limit, formats=IMAGES)
    for purpose, limit in UPLOAD_LIMIT_BYTES.items()
} | {
    AssetPurpose.PRODUCT_FILE: PurposeRule(
        limit_bytes=2 * 1024 * MIB, formats=frozenset(FileFormat)
    ),
    AssetPurpose.AUDIO: PurposeRule(
        limit_bytes=50 * MIB, formats=frozenset({FileFormat.MP3, FileFormat.WAV})
    ),
    AssetPurpose.DRIVING_VIDEO: PurposeRule(
        limit_bytes=200 * MIB, formats=frozenset({FileFormat.MP4})
    ),
}
"""What may be uploaded for what, and how large."""


class UploadState(StrEnum):
    UPLOADING = "uploading"
    VERIFYING = "verifying"
    READY = "ready"
    REFUSED = "refused"
    ABORTED = "aborted"
    EXPIRED = "expired"


class UploadTypeRefused(Invalid):
    """Files of this type are not uploaded for this purpose."""

    code = "upload_type_refused"


class UploadClosed(Conflict):
    """The upload takes no parts any more: it was completed, given up, or has ended."""

    code = "upload_closed"


class UploadNotBegun(Conflict):
    """The upload has not been begun at the store: begin another."""

    code = "upload_not_begun"


class UploadExpired(Gone):
    """An upload that is not completed within a day is given up: begin another."""

    code = "upload_expired"


class UploadIncomplete(Conflict):
    """Parts are missing, or are not as large as they were to be: send those, then complete."""

    code = "upload_incomplete"

    def __init__(self, missing: Sequence[int], wrong: Sequence[int]) -> None:
        super().__init__(
            "Not all parts are there as they should be.",
            missing=list(missing[:100]),
            wrong=list(wrong[:100]),
        )


class StorageFull(RuleRefused):
    """With this file the owner would keep more than the plan has room for."""

    code = "storage_full"


class SentPart(Protocol):
    @property
    def number(self) -> int: ...

    @property
    def size_bytes(self) -> int: ...


@dataclass(eq=False, kw_only=True)
class Upload:
    """Becomes the asset of the same id, so that it becomes one asset however often it is checked.

    `sha256`, `size_bytes` and `content_type` are what the sender claims. `multipart_id` is the
    store's name for the parts, none until it has been asked for one.
    """

    id: UUID
    owner_id: UUID
    purpose: AssetPurpose
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    part_bytes: int
    multipart_id: str | None = None
    state: UploadState = UploadState.UPLOADING
    error_code: str | None = None
    error_message: str | None = None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def key(self) -> str:
        """Where its bytes lie until they have been checked; nothing links there."""
        return f"quarantine/{self.id}/file"

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_bytes)

    @property
    def is_open(self) -> bool:
        """Whether it holds a reservation."""
        return self.state in {UploadState.UPLOADING, UploadState.VERIFYING}

    def size_of(self, number: int) -> int:
        """How large that part has to be. Raises Invalid for a part that there is not."""
        if not 1 <= number <= self.part_count:
            raise Invalid(
                f"The upload has parts 1 to {self.part_count}.",
                fields={"numbers": [f"must be between 1 and {self.part_count}"]},
            )
        if number < self.part_count:
            return self.part_bytes
        return self.size_bytes - self.part_bytes * (self.part_count - 1)

    def require_taking_parts(self, *, at: datetime) -> str:
        """The store's name for the parts. Raises UploadClosed, UploadExpired, UploadNotBegun."""
        if self.state is UploadState.EXPIRED or (
            self.state is UploadState.UPLOADING and at >= self.expires_at
        ):
            raise UploadExpired("The upload was not completed within a day: begin another.")
        if self.state is not UploadState.UPLOADING:
            raise UploadClosed(f"The upload takes no parts any more: it is {self.state}.")
        if self.multipart_id is None:
            raise UploadNotBegun("The store did not begin this upload: begin another.")
        return self.multipart_id

    def require_whole(self, parts: Iterable[SentPart]) -> None:
        """Every part there, each exactly as large as it has to be. Raises UploadIncomplete."""
        sent = {part.number: part.size_bytes for part in parts}
        expected = range(1, self.part_count + 1)
        missing = [number for number in expected if number not in sent]
        wrong = [
            number
            for number, size_bytes in sorted(sent.items())
            if number not in expected or size_bytes != self.size_of(number)
        ]
        if missing or wrong:
            raise UploadIncomplete(missing, wrong)

    def verify(self) -> None:
        self.state = UploadState.VERIFYING

    def become_ready(self, *, at: datetime) -> None:
        self.state, self.ended_at = UploadState.READY, at

    def refuse(self, code: str, message: str, *, at: datetime) -> None:
        self.state, self.ended_at = UploadState.REFUSED, at
        self.error_code, self.error_message = code, message

    def abort(self, *, at: datetime) -> None:
        """Raises UploadClosed for what is being checked or has ended."""
        if self.state is not UploadState.UPLOADING:
            raise UploadClosed(f"The upload cannot be given up any more: it is {self.state}.")
        self.state, self.ended_at = UploadState.ABORTED, at

    def expire(self, *, at: datetime) -> None:
        self.state, self.ended_at = UploadState.EXPIRED, at


def check_claims(purpose: AssetPurpose, size_bytes: int, content_type: str) -> None:
    """What can be known of an upload before it comes.

    Raises PurposeRefused, UploadTooLarge, UploadTypeRefused."""
    rule = RULES.get(purpose)
    if rule is None:
        allowed = ", ".join(RULES)
        raise PurposeRefused(
            "Files of this purpose are not uploaded.",
            fields={"purpose": [f"must be one of {allowed}"]},
        )
    if size_bytes > rule.limit_bytes:
        megabytes = rule.limit_bytes // MIB
        raise UploadTooLarge(
            f"The file is too large: at most {megabytes} MB for {purpose}.",
            fields={"size_bytes": [f"must be at most {megabytes} MB"]},
        )
    types = sorted(kind.content_type for kind in rule.formats)
    if content_type not in types:
        raise UploadTypeRefused(
            f"Files of this type are not taken for {purpose}.",
            fields={"content_type": [f"must be one of {', '.join(types)}"]},
        )


def part_bytes_for(size_bytes: int) -> int:
    """Equal parts, of whole mebibytes, as many as a store takes."""
    return max(_USUAL_PART_BYTES, -(-size_bytes // MAX_PARTS // MIB) * MIB)

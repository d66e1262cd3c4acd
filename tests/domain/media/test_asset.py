"""Which images may be uploaded, and who may have the clean copy."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.media.asset import (
    UPLOAD_LIMIT_BYTES,
    Asset,
    AssetPurpose,
    PurposeRefused,
    UploadTooLarge,
    check_upload,
)
from domain.media.formats import sniff_image
from domain.shared.errors import Invalid

OWNER, BUYER, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)


def asset(purpose: AssetPurpose) -> Asset:
    return Asset(
        id=UUID(int=9),
        owner_id=OWNER,
        purpose=purpose,
        content_type="image/png",
        width=1,
        height=1,
        size_bytes=1,
        sha256="0" * 64,
        clean_key="a/clean.png",
        preview_key="a/preview.jpeg",
        thumbnail_key="a/thumbnail.jpeg",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("purpose", UPLOAD_LIMIT_BYTES)
def test_a_file_may_be_as_large_as_its_purpose_allows(purpose: AssetPurpose) -> None:
    check_upload(purpose, UPLOAD_LIMIT_BYTES[purpose])
    with pytest.raises(UploadTooLarge) as refused:
        check_upload(purpose, UPLOAD_LIMIT_BYTES[purpose] + 1)
    assert "file" in refused.value.facts["fields"]  # type: ignore[operator]


def test_generations_are_not_uploaded() -> None:
    with pytest.raises(PurposeRefused):
        check_upload(AssetPurpose.GENERATION, 1)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Invalid):
        check_upload(AssetPurpose.AVATAR, 0)


def test_the_owner_of_an_upload_has_its_clean_copy() -> None:
    upload = asset(AssetPurpose.AVATAR)
    assert upload.shows_clean_copy_to(OWNER, grantees=())
    assert not upload.shows_clean_copy_to(STRANGER, grantees=())


def test_of_a_generated_image_only_the_buyer_has_the_clean_copy() -> None:
    generated = asset(AssetPurpose.GENERATION)
    assert not generated.shows_clean_copy_to(OWNER, grantees={BUYER})
    assert generated.shows_clean_copy_to(BUYER, grantees={BUYER})
    assert not generated.shows_clean_copy_to(STRANGER, grantees={BUYER})


def test_a_plan_may_give_the_owner_the_clean_copy_of_what_was_generated() -> None:
    generated = asset(AssetPurpose.GENERATION)
    generated.clean_for_owner = True
    assert generated.shows_clean_copy_to(OWNER, grantees=())
    assert not generated.shows_clean_copy_to(STRANGER, grantees=())


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0....", "jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"GIF89a....", "gif"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
    ],
)
def test_a_format_is_told_by_the_first_bytes(start: bytes, expected: str | None) -> None:
    assert sniff_image(start) == expected

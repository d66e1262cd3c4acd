"""An upload from its first part to its end."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.media.asset import AssetPurpose, PurposeRefused, UploadTooLarge
from domain.media.upload import (
    MAX_PARTS,
    MIN_PART_BYTES,
    RULES,
    UPLOAD_LIFE,
    Upload,
    UploadClosed,
    UploadExpired,
    UploadIncomplete,
    UploadNotBegun,
    UploadState,
    UploadTypeRefused,
    check_claims,
    part_bytes_for,
)
from domain.shared.errors import Invalid

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Sent(NamedTuple):
    number: int
    size_bytes: int


def upload(size_bytes: int = 20_000_000) -> Upload:
    return Upload(
        id=UUID(int=1),
        owner_id=UUID(int=2),
        purpose=AssetPurpose.PRODUCT_FILE,
        filename="presets.zip",
        content_type="application/zip",
        size_bytes=size_bytes,
        sha256="0" * 64,
        part_bytes=part_bytes_for(size_bytes),
        multipart_id="m",
        created_at=NOON,
        expires_at=NOON + UPLOAD_LIFE,
    )


@given(st.integers(1, 2 * 1024**4))
def test_parts_are_equal_but_for_the_last_and_no_more_than_a_store_takes(size_bytes: int) -> None:
    made = upload(size_bytes)
    assert made.part_bytes >= MIN_PART_BYTES
    assert 1 <= made.part_count <= MAX_PARTS
    last = made.size_of(made.part_count)
    assert 0 < last <= made.part_bytes
    assert (made.part_count - 1) * made.part_bytes + last == size_bytes


def test_there_is_no_part_before_the_first_or_after_the_last() -> None:
    for number in (0, 4, -1):
        with pytest.raises(Invalid):
            upload().size_of(number)


def test_an_upload_is_whole_when_every_part_is_as_large_as_it_has_to_be() -> None:
    made = upload()
    whole = [Sent(number, made.size_of(number)) for number in (3, 1, 2)]
    made.require_whole(whole)
    for parts, facts in (
        (whole[:2], {"missing": [2], "wrong": []}),
        ([*whole, Sent(4, 1)], {"missing": [], "wrong": [4]}),
        ([whole[0], whole[1], Sent(2, 7_000_000)], {"missing": [], "wrong": [2]}),
        ([], {"missing": [1, 2, 3], "wrong": []}),
    ):
        with pytest.raises(UploadIncomplete) as refused:
            made.require_whole(parts)
        assert refused.value.facts == facts


def test_parts_are_taken_until_the_end_of_the_day_or_of_the_upload() -> None:
    made = upload()
    assert made.require_taking_parts(at=NOON) == "m"
    with pytest.raises(UploadExpired):
        made.require_taking_parts(at=made.expires_at)
    made.verify()
    with pytest.raises(UploadClosed):
        made.require_taking_parts(at=made.expires_at)
    fresh = upload()
    fresh.multipart_id = None
    with pytest.raises(UploadNotBegun):
        fresh.require_taking_parts(at=NOON)


@pytest.mark.parametrize("state", list(UploadState)[1:])
def test_only_what_is_still_sent_can_be_given_up(state: UploadState) -> None:
    made = upload()
    made.state = state
    with pytest.raises(UploadClosed):
        made.abort(at=NOON)


@pytest.mark.parametrize("purpose", RULES)
def test_a_file_may_be_as_large_as_its_purpose_allows(purpose: AssetPurpose) -> None:
    rule = RULES[purpose]
    kind = next(iter(rule.formats)).content_type
    check_claims(purpose, rule.limit_bytes, kind)
    with pytest.raises(UploadTooLarge):
        check_claims(purpose, rule.limit_bytes + 1, kind)
    with pytest.raises(UploadTypeRefused):
        check_claims(purpose, 1, "application/x-msdownload")


def test_the_limits_are_those_that_were_promised() -> None:
    megabytes = {purpose: rule.limit_bytes / 1024**2 for purpose, rule in RULES.items()}
    assert megabytes == {
        AssetPurpose.AVATAR: 5,
        AssetPurpose.BANNER: 10,
        AssetPurpose.TRAINING_IMAGE: 25,
        AssetPurpose.SCENE_IMAGE: 15,
        AssetPurpose.PRODUCT_IMAGE: 15,
        AssetPurpose.PRODUCT_FILE: 2048,
        AssetPurpose.AUDIO: 50,
        AssetPurpose.DRIVING_VIDEO: 200,
    }


def test_what_was_generated_is_not_uploaded() -> None:
    with pytest.raises(PurposeRefused):
        check_claims(AssetPurpose.GENERATION, 1, "image/png")


def test_an_upload_ends_a_day_after_it_began() -> None:
    assert timedelta(days=1) == UPLOAD_LIFE

"""What is particular to S3: how requests are signed, and what refusals are said to mean."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.s3.storage import S3Storage
from application.ports.errors import Unavailable
from tests.contracts.test_object_storage import bucket_of, s3_server

__all__ = ["s3_server"]


def storage_at(endpoint_url: str | None, bucket: str = "assets") -> S3Storage:
    return S3Storage(
        bucket=bucket,
        region="auto",
        access_key_id="key",
        secret_access_key="secret",
        endpoint_url=endpoint_url,
    )


async def test_presigned_urls_are_of_signature_version_4() -> None:
    storage = storage_at("https://store.test")
    url = await storage.signed_url(
        "a/b.png", expires_in=timedelta(minutes=5), download_name="b.png"
    )
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://store.test/assets/a/b.png?")
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Credential"][0].endswith("/auto/s3/aws4_request")
    assert query["response-content-disposition"][0].startswith("attachment; ")
    storage.close()


async def test_a_missing_bucket_says_what_to_do(s3_server: str) -> None:
    storage = storage_at(s3_server, bucket="never-made")
    with pytest.raises(Unavailable, match="create it or correct its name"):
        await storage.check()
    storage.close()


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    storage = storage_at("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="cannot be reached"):
        await storage.get("a")
    storage.close()


async def test_a_presigned_url_serves_the_object(s3_server: str) -> None:
    import httpx

    storage = bucket_of(s3_server)
    await storage.put("a/b.png", b"bytes", content_type="image/png")
    url = await storage.signed_url("a/b.png", expires_in=timedelta(minutes=5))
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
    assert (answer.status_code, answer.content) == (200, b"bytes")
    assert answer.headers["content-type"] == "image/png"
    storage.close()


async def test_a_link_for_a_part_signs_its_length_its_number_and_its_upload() -> None:
    """Whoever holds the link can send that part of that size, for that long, and nothing else."""
    storage = storage_at("https://store.test")
    url = await storage.part_url(
        "quarantine/1/file", "upload-1", 7, size_bytes=8388608, expires_in=timedelta(minutes=15)
    )
    query = parse_qs(urlsplit(url).query)
    assert url.startswith("https://store.test/assets/quarantine/1/file?")
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]
    assert (query["uploadId"], query["partNumber"]) == (["upload-1"], ["7"])
    assert query["X-Amz-Expires"] == ["900"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert not [name for name in query if "checksum" in name.lower()]
    other = await storage.part_url(
        "quarantine/1/file", "upload-1", 7, size_bytes=8388607, expires_in=timedelta(minutes=15)
    )
    assert parse_qs(urlsplit(other).query)["X-Amz-Signature"] != query["X-Amz-Signature"]
    storage.close()

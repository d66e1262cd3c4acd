"""Objects in S3, Cloudflare R2, MinIO or anything else that speaks S3's protocol, by boto3.

boto3 blocks, so each call runs in a pool of threads as large as its pool of connections. An object
is visible only after a complete PUT, which is S3's own promise. Its SHA-256 travels in the user
metadata, for an ETag is not a hash of the file.
"""

import asyncio
import hashlib
import mmap
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from adapters.s3.multipart import Multiparts
from application.ports.errors import Unavailable
from application.ports.multipart import (
    LocalCopy,
    MultipartMissing,
    OpenMultipart,
    PartsRefused,
    StoredPart,
    checked_part,
)
from application.ports.storage import (
    ListedObject,
    ObjectMissing,
    StoredObject,
    attachment,
    checked_key,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_PROBE = "probe/doctor"
_READ_BYTES = 1024 * 1024


class S3Storage:
    """See `application.ports.storage.ObjectStorage`.

    `endpoint_url` is None for Amazon itself; `region` is `auto` for R2. `connections` bounds both
    threads and sockets. `close()` when done.
    """

    def __init__(
        self,
        *,
        bucket: str,
        region: str,
        access_key_id: str,
        secret_access_key: str,
        endpoint_url: str | None = None,
        connections: int = 16,
    ) -> None:
        self._bucket = bucket
        self._where = f"bucket {bucket}" + (f" at {endpoint_url}" if endpoint_url else "")
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="s3")
        self._client = _client(
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            endpoint_url=endpoint_url,
            connections=connections,
        )
        self._multiparts = Multiparts(self._client, bucket)

    async def put(self, key: str, content: bytes, *, content_type: str) -> StoredObject:
        checked_key(key)

        def upload() -> StoredObject:
            sha256 = hashlib.sha256(content).hexdigest()
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=content_type,
                Metadata={"sha256": sha256},
            )
            return StoredObject(
                key=key, size_bytes=len(content), content_type=content_type, sha256=sha256
            )

        return await self._in_thread(key, upload)

    async def put_file(self, key: str, path: Path, *, content_type: str) -> StoredObject:
        checked_key(key)

        def upload() -> StoredObject:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                size_bytes = file.tell()
                file.seek(0)
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=file,
                    ContentType=content_type,
                    Metadata={"sha256": sha256},
                )
            return StoredObject(
                key=key, size_bytes=size_bytes, content_type=content_type, sha256=sha256
            )

        return await self._in_thread(key, upload)

    async def copy(
        self, source: str, target: str, *, content_type: str, sha256: str
    ) -> StoredObject:
        """One request, in which the store copies up to 5 GB by itself."""
        checked_key(source)
        checked_key(target)
        await self._in_thread(
            source,
            lambda: self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                ContentType=content_type,
                Metadata={"sha256": sha256},
                MetadataDirective="REPLACE",
            ),
        )
        return await self.stat(target)

    @asynccontextmanager
    async def open_copy(self, key: str) -> AsyncIterator[LocalCopy]:
        digest = hashlib.sha256()
        with tempfile.TemporaryFile() as file:

            def keep(chunk: bytes) -> None:
                digest.update(chunk)
                file.write(chunk)

            async for chunk in self.stream(key, chunk_bytes=_READ_BYTES):
                await asyncio.to_thread(keep, chunk)
            file.flush()
            if file.tell() == 0:
                yield LocalCopy(content=b"", sha256=digest.hexdigest())
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                yield LocalCopy(content=content, sha256=digest.hexdigest())

    async def get(self, key: str) -> bytes:
        checked_key(key)

        def download() -> bytes:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

        return await self._in_thread(key, download)

    async def stream(
        self,
        key: str,
        *,
        offset: int = 0,
        length: int | None = None,
        chunk_bytes: int = 262_144,
    ) -> AsyncIterator[bytes]:
        stored = await self.stat(key)
        end = stored.size_bytes if length is None else min(stored.size_bytes, offset + length)
        if offset >= end:
            return
        body = await self._in_thread(
            key,
            lambda: self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={offset}-{end - 1}"
            )["Body"],
        )
        try:
            while chunk := await self._in_thread(key, lambda: body.read(chunk_bytes)):
                yield chunk
        finally:
            body.close()

    async def stat(self, key: str) -> StoredObject:
        checked_key(key)

        def head() -> StoredObject:
            found = self._client.head_object(Bucket=self._bucket, Key=key)
            return StoredObject(
                key=key,
                size_bytes=found["ContentLength"],
                content_type=found["ContentType"],
                sha256=found["Metadata"].get("sha256", ""),
            )

        return await self._in_thread(key, head)

    async def listing(self, prefix: str) -> AsyncIterator[ListedObject]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        remaining = iter(pages)
        while (page := await self._in_thread(prefix, lambda: next(remaining, None))) is not None:
            for found in page.get("Contents", []):
                yield ListedObject(key=found["Key"], modified_at=found["LastModified"])

    async def delete(self, key: str) -> None:
        checked_key(key)
        await self._in_thread(key, lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    async def signed_url(
        self, key: str, *, expires_in: timedelta, download_name: str | None = None
    ) -> str:
        parameters = {"Bucket": self._bucket, "Key": checked_key(key)}
        if download_name is not None:
            parameters["ResponseContentDisposition"] = attachment(download_name)
        return await self._in_thread(
            key,
            lambda: self._client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=int(expires_in.total_seconds())
            ),
        )

    async def start_multipart(self, key: str, *, content_type: str) -> str:
        checked_key(key)
        return await self._in_thread(key, lambda: self._multiparts.begin(key, content_type))

    async def part_url(
        self, key: str, multipart_id: str, number: int, *, size_bytes: int, expires_in: timedelta
    ) -> str:
        checked_key(key)
        checked_part(number, size_bytes)
        return await self._in_thread(
            key, lambda: self._multiparts.url(key, multipart_id, number, size_bytes, expires_in)
        )

    async def list_parts(self, key: str, multipart_id: str) -> list[StoredPart]:
        checked_key(key)
        return await self._in_thread(key, lambda: self._multiparts.listed(key, multipart_id))

    async def complete_multipart(
        self, key: str, multipart_id: str, parts: Sequence[StoredPart]
    ) -> None:
        checked_key(key)
        await self._in_thread(key, lambda: self._multiparts.complete(key, multipart_id, parts))

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        checked_key(key)
        with suppress(MultipartMissing):
            await self._in_thread(key, lambda: self._multiparts.abort(key, multipart_id))

    async def open_multiparts(self, prefix: str) -> AsyncIterator[OpenMultipart]:
        for found in await self._in_thread(prefix, lambda: self._multiparts.unfinished(prefix)):
            yield found

    async def check(self) -> None:
        await self.put(_PROBE, b"probe", content_type="text/plain")
        await self.get(_PROBE)
        await self.delete(_PROBE)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def _in_thread(self, key: str, work: Callable[[], T]) -> T:
        def guarded() -> T:
            with _explained(key, self._where):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, guarded)


def _client(
    *,
    region: str,
    access_key_id: str,
    secret_access_key: str,
    endpoint_url: str | None,
    connections: int,
) -> "S3Client":
    """SigV4 always, also for presigned URLs; checksums only where S3 demands them (R2, MinIO)."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session(
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        region_name=region,
    ).client(
        "s3",
        endpoint_url=endpoint_url,
        config=Config(
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=connections,
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path" if endpoint_url else "auto"},
        ),
    )


_PARTS_REFUSED = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"}
_ADVICE = {
    "AccessDenied": "it denies access: allow s3:GetObject, PutObject, DeleteObject, "
    "AbortMultipartUpload, ListMultipartUploadParts, ListBucket, ListBucketMultipartUploads",
    "InvalidAccessKeyId": "it does not know the access key id: check the credentials",
    "SignatureDoesNotMatch": "the secret access key or the region is wrong: check the settings",
    "NoSuchBucket": "the bucket does not exist: create it or correct its name",
    "SlowDown": "it asks to slow down: try again later",
}


@contextmanager
def _explained(key: str, where: str) -> Iterator[None]:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004
        HTTPClientError,
    )

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in {"NoSuchKey", "404", "NotFound"}:
            raise ObjectMissing(key) from error
        if code == "NoSuchUpload":
            raise MultipartMissing(key) from error
        if code in _PARTS_REFUSED:
            raise PartsRefused("The store does not take these parts together.") from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        advice = _ADVICE.get(code, f"it answered {status} {code}")
        raise Unavailable(f"Storage {where}: {advice}.", provider="s3") from error
    except (ConnectionError, HTTPClientError) as error:
        raise Unavailable(
            f"Storage {where} cannot be reached: check the endpoint and the network.",
            provider="s3",
        ) from error
    except BotoCoreError as error:
        raise Unavailable(f"Storage {where}: {type(error).__name__}.", provider="s3") from error

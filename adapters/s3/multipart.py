"""Multipart uploads in S3's words. Blocks: called from the store's threads."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from application.ports.multipart import OpenMultipart, PartsRefused, StoredPart

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Multiparts:
    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def begin(self, key: str, content_type: str) -> str:
        begun = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=key, ContentType=content_type
        )
        return begun["UploadId"]

    def url(
        self, key: str, multipart_id: str, number: int, size_bytes: int, expires_in: timedelta
    ) -> str:
        """ContentLength becomes a signed header: another length does not fit the signature."""
        return self._client.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "UploadId": multipart_id,
                "PartNumber": number,
                "ContentLength": size_bytes,
            },
            ExpiresIn=int(expires_in.total_seconds()),
        )

    def listed(self, key: str, multipart_id: str) -> list[StoredPart]:
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self._bucket, Key=key, UploadId=multipart_id
        )
        return [
            StoredPart(
                number=part["PartNumber"], size_bytes=part["Size"], etag=part["ETag"].strip('"')
            )
            for page in pages
            for part in page.get("Parts", [])
        ]

    def complete(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> None:
        if not parts:
            raise PartsRefused("There are no parts.")
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=key,
            UploadId=multipart_id,
            MultipartUpload={
                "Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
            },
        )

    def abort(self, key: str, multipart_id: str) -> None:
        self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=multipart_id)

    def unfinished(self, prefix: str) -> list[OpenMultipart]:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        return [
            OpenMultipart(
                key=found["Key"], multipart_id=found["UploadId"], started_at=found["Initiated"]
            )
            for page in pages
            for found in page.get("Uploads", [])
        ]

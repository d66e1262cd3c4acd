"""The part of the composition root that keeps files, and takes in those of others."""

from contextlib import AsyncExitStack

from adapters.filesystem.links import SignedLinks
from adapters.filesystem.storage import FilesystemStorage
from adapters.httpx.remote_files import HttpxRemoteFiles
from adapters.s3.storage import S3Storage
from application.ports.multipart import PartReceiver
from application.ports.remote_files import RemoteFiles
from application.ports.storage import ObjectStorage
from domain.creators.training_set import TrainingPolicy
from entrypoints.settings import Settings
from entrypoints.settings_values import FileStorageLocation


def object_storage(
    settings: Settings, links: SignedLinks, closing: AsyncExitStack
) -> ObjectStorage:
    where = settings.storage
    if isinstance(where, FileStorageLocation):
        return FilesystemStorage(where.folder, links=links)
    access_key, secret_key = settings.s3_access_key_id, settings.s3_secret_access_key
    storage = S3Storage(
        bucket=where.bucket,
        region=where.region,
        endpoint_url=where.endpoint_url,
        access_key_id=access_key.reveal() if access_key else "",
        secret_access_key=secret_key.reveal() if secret_key else "",
    )
    closing.callback(storage.close)
    return storage


def training_policy(settings: Settings) -> TrainingPolicy:
    return TrainingPolicy(
        min_images=settings.training_min_images,
        min_side_px=settings.training_min_side_px,
        one_face_percent=settings.training_one_face_percent,
        warns=settings.training_checks == "warn",
    )


def part_receiver(storage: ObjectStorage) -> PartReceiver | None:
    """Who takes parts that are sent to us; S3 takes its own."""
    return storage if isinstance(storage, FilesystemStorage) else None


def remote_files(settings: Settings, closing: AsyncExitStack) -> RemoteFiles:
    """Results come from public addresses only; in development from the sandbox as well."""
    trusted = [settings.sandbox_url] if settings.sandbox_url and not settings.is_production else []
    files = HttpxRemoteFiles(trusted_origins=trusted)
    closing.push_async_callback(files.aclose)
    return files

"""The part of the composition root that makes images, and keeps files."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from adapters.fal.images import FalImageGenerator
from adapters.fal.queue import QUEUE_URL
from adapters.fal.training import FalModelTrainer
from adapters.fal.webhooks import JWKS_URL, FalWebhooks
from adapters.filesystem.links import SignedLinks
from adapters.filesystem.storage import FilesystemStorage
from adapters.httpx.remote_files import HttpxRemoteFiles
from adapters.replicate.images import API_URL as REPLICATE_URL
from adapters.replicate.images import ReplicateImageGenerator
from adapters.replicate.webhooks import ReplicateWebhooks
from adapters.s3.storage import S3Storage
from adapters.system.clock import SystemClock
from application.ports.engines import (
    Engine,
    EngineRequest,
    PhotoToImage,
    ProviderWebhooks,
    TextToImage,
    TrainLikeness,
)
from application.ports.remote_files import RemoteFiles
from application.ports.storage import ObjectStorage
from entrypoints.former_engines import FormerGenerator, FormerTrainer, FormerWebhooks
from entrypoints.providers import fal_access, replicate_access
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


def studio_engines(
    settings: Settings, closing: AsyncExitStack
) -> tuple[
    Mapping[type[EngineRequest], Sequence[Engine[Any]]],
    Mapping[str, ProviderWebhooks],
]:
    """By kind of request, in order of preference. Text goes to Replicate, photos and training to
    fal, which also does what Replicate cannot do at the moment."""
    engines: dict[type[EngineRequest], list[Engine[Any]]] = defaultdict(list)
    webhooks: dict[str, ProviderWebhooks] = {}
    if (replicate_keys := replicate_access(settings)) is not None:
        replicate = ReplicateImageGenerator(
            api_token=replicate_keys.api_token.reveal(),
            base_url=replicate_keys.api_base or REPLICATE_URL,
        )
        closing.push_async_callback(replicate.aclose)
        engines[TextToImage].append(FormerGenerator(replicate, model="flux-dev-lora"))
        webhooks["replicate"] = FormerWebhooks(
            ReplicateWebhooks(signing_secret=replicate_keys.webhook_secret.reveal())
        )
    if (fal_keys := fal_access(settings)) is not None:
        key, base_url = fal_keys.key.reveal(), fal_keys.api_base or QUEUE_URL
        photo = FalImageGenerator(api_key=key, mode="photo", base_url=base_url)
        plain = FalImageGenerator(api_key=key, mode="text", base_url=base_url)
        trainer = FalModelTrainer(api_key=key, base_url=base_url)
        callbacks = FalWebhooks(
            user_id=fal_keys.user_id,
            clock=SystemClock(),
            jwks_url=fal_keys.jwks_url or JWKS_URL,
        )
        for client in (photo, plain, trainer, callbacks):
            closing.push_async_callback(client.aclose)
        engines[PhotoToImage].append(FormerGenerator(photo, model="flux-kontext-lora"))
        engines[TextToImage].append(FormerGenerator(plain, model="flux-lora"))
        engines[TrainLikeness].append(FormerTrainer(trainer, model="flux-lora-fast-training"))
        webhooks["fal"] = FormerWebhooks(callbacks)
    return engines, webhooks


def remote_files(settings: Settings, closing: AsyncExitStack) -> RemoteFiles:
    """Results come from public addresses only; in development from the sandbox as well."""
    trusted = [settings.sandbox_url] if settings.sandbox_url and not settings.is_production else []
    files = HttpxRemoteFiles(trusted_origins=trusted)
    closing.push_async_callback(files.aclose)
    return files

"""What a listener is told: the event as it was kept, with what it made linked for that listener.

Links expire, so they are made when somebody is told and never kept.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from msgspec import Struct

from application.media.delivery import clean_url, preview_urls
from application.ports.live import (
    JobCompleted,
    JobFailed,
    LiveEvent,
    LiveFeed,
    LiveRecords,
    StepCompleted,
    UploadRefused,
)
from application.ports.storage import ObjectStorage
from domain.media.asset import Asset, Media


class ResultLinks(Struct, frozen=True, kw_only=True):
    """`url` is the best copy that the listener may have; without one it is asked for by its id."""

    asset_id: UUID
    media: Media
    content_type: str
    url: str | None
    preview_url: str | None
    thumbnail_url: str | None


class JobCompletedNews(Struct, frozen=True, kw_only=True, tag_field="type", tag="job.completed"):
    """`results` are in the order in which they were made; a trained model has none. `in_review`
    counts those that somebody has to look at first: `GET /generations/{id}` has them then."""

    job_id: UUID
    results: list[ResultLinks]
    in_review: int
    seq: int


class JobError(Struct, frozen=True, kw_only=True):
    code: str
    message: str


class JobFailedNews(Struct, frozen=True, kw_only=True, tag_field="type", tag="job.failed"):
    job_id: UUID
    error: JobError
    seq: int


class StepCompletedNews(Struct, frozen=True, kw_only=True, tag_field="type", tag="step.completed"):
    """`result_url` is null for what is only an intermediate."""

    job_id: UUID
    step_id: UUID
    step_type: str
    result_url: str | None
    seq: int


class UploadRefusedNews(Struct, frozen=True, kw_only=True, tag_field="type", tag="upload.refused"):
    upload_id: UUID
    error: JobError
    seq: int


News = LiveEvent | JobCompletedNews | JobFailedNews | StepCompletedNews | UploadRefusedNews


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom:
    """Where events come from."""

    feed: LiveFeed
    records: LiveRecords
    storage: ObjectStorage


def depends_on_listener(event: LiveEvent) -> bool:
    """Whether two listeners may be told different things."""
    match event:
        case JobCompleted():
            return True
        case StepCompleted():
            return event.result_asset_id is not None
    return False


async def news_of(event: LiveEvent, *, viewer_id: UUID, newsroom: Newsroom) -> News:
    match event:
        case JobCompleted(job_id=job_id, seq=seq):
            results = await _results(event, viewer_id, newsroom)
            waiting = await newsroom.records.in_review(event)
            return JobCompletedNews(job_id=job_id, results=results, in_review=waiting, seq=seq)
        case JobFailed():
            error = JobError(code=event.error_code, message=event.error_message)
            return JobFailedNews(job_id=event.job_id, error=error, seq=event.seq)
        case StepCompleted():
            made = await _results(event, viewer_id, newsroom) if event.result_asset_id else []
            return StepCompletedNews(
                job_id=event.job_id,
                step_id=event.step_id,
                step_type=event.step_type,
                result_url=made[0].url if made else None,
                seq=event.seq,
            )
        case UploadRefused():
            error = JobError(code=event.error_code, message=event.error_message)
            return UploadRefusedNews(upload_id=event.upload_id, error=error, seq=event.seq)
    return event


async def _results(
    event: JobCompleted | StepCompleted, viewer_id: UUID, newsroom: Newsroom
) -> list[ResultLinks]:
    assets = await newsroom.records.results(event)
    return await asyncio.gather(*(_links(one, viewer_id, newsroom.storage) for one in assets))


async def _links(asset: Asset, viewer_id: UUID, storage: ObjectStorage) -> ResultLinks:
    previews = await preview_urls(asset, storage=storage)
    clean = await clean_url(asset, viewer_id, grantees=(), storage=storage)
    return ResultLinks(
        asset_id=asset.id,
        media=asset.media,
        content_type=asset.content_type,
        url=clean or previews.preview_url,
        preview_url=previews.preview_url,
        thumbnail_url=previews.thumbnail_url,
    )

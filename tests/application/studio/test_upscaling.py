"""An image that is wanted larger goes through one more engine, and is paid for as such."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapters.memory.images import blank_png
from application.ports.engines import EngineOutput, UpscaleImage
from application.studio.completion import ProviderReport, apply_report
from domain.media.provenance import Verdict
from domain.studio.generation import SourceRefused
from domain.studio.job import JobStatus
from tests.application.studio.test_pipelines import through
from tests.application.studio.world import World


async def test_what_was_drawn_is_made_larger_and_signed(studio: World) -> None:
    job_id = (await studio.ask(upscale=4)).id
    seen = await studio.seen(job_id)
    assert [(step.type, step.credits) for step in seen.steps] == [
        ("image_generation", 2),
        ("upscaling", 2),
        ("post_processing", 0),
    ]
    await through(studio, job_id)

    (sent,) = [one.request for one in studio.engine(UpscaleImage).submissions]
    (drawn,) = [one for one in await studio.steps(job_id) if one.type == "image_generation"]
    assert sent.factor == 4
    assert drawn.results[0].key in sent.image_url
    seen = await studio.seen(job_id)
    assert (seen.status, seen.spent) == (JobStatus.SUCCEEDED, 4)
    (asset,) = await studio.images_of(job_id)
    content = await studio.storage.get(asset.clean_key)
    report = await studio.credentials.read(content, "image/png")
    assert report.verdict is Verdict.VALID
    assert report.statements[0].models == ("memory/text_to_image, elsewhere/upscale_image",)


async def test_what_its_maker_thought_unsafe_stays_so_when_it_is_larger(studio: World) -> None:
    job_id = (await studio.ask(upscale=2)).id
    await studio.work()
    (attempt,) = await studio.attempts(job_id)
    assert attempt.request_id is not None
    studio.generator.complete(
        attempt.request_id, outputs=[EngineOutput(content=blank_png(20, 20))], flagged=(0,)
    )
    job = await studio.generator.fetch(attempt.request_id)
    report = ProviderReport(provider=attempt.provider, attempt_id=attempt.id, job=job)
    await apply_report(report, workshop=studio.workshop)
    await through(studio, job_id)
    seen = await studio.seen(job_id)
    assert (seen.status, seen.error_code) == (JobStatus.FAILED, "content_refused")
    assert await studio.images_of(job_id) == []


async def test_only_images_are_made_larger(studio: World) -> None:
    with pytest.raises(SourceRefused):
        await studio.ask(kind="video", upscale=2)
    job_id = (await studio.ask()).id
    for change in ("upscale = 3", "upscale = 2, kind = 'video'"):
        async with studio.sessions() as session:
            with pytest.raises(IntegrityError, match="upscale"):
                await session.execute(
                    text(f"UPDATE generations SET {change} WHERE id = :id"),
                    {"id": job_id},
                )

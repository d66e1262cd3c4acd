"""What is done for the studio, for files, and for licences that end."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

from application.creators.tombstones import END_JOBS_OF_MODEL
from application.licensing.grants import FREEZE_LISTINGS, FreezeListings, freeze_listings
from application.media.assets import (
    DELETE_TRAINING_IMAGES,
    DeleteTrainingImages,
    delete_training_images,
    erase_bytes,
)
from application.media.uploads import (
    DISCARD_UPLOAD,
    VERIFY_UPLOAD,
    DiscardUpload,
    VerifyUpload,
    discard_upload,
)
from application.media.verification import Inspection, verify_upload
from application.ordering.revocations import (
    CARRY_OUT,
    CarryOutRevocation,
    carry_out_revocation,
)
from application.ports.media import ERASE_BYTES
from application.ports.messages import Message
from application.studio.bereaved import end_jobs_of_models
from application.studio.dispatching import give_turns_for
from application.studio.ingesting import ingest_results
from application.studio.local_steps import run_steps
from application.studio.polling import cancel_attempts
from application.studio.submission import submit_attempts
from application.studio.workshop import (
    CANCEL_ATTEMPT,
    GIVE_TURNS,
    INGEST_RESULT,
    OWN_QUEUE,
    RUN_STEP,
    SUBMIT_ATTEMPT,
    submit_topic,
)
from domain.studio.pipelines import StepType
from entrypoints.bootstrap import Ports
from entrypoints.worker.each import each
from entrypoints.worker.topic import LONG_RUN, PROVIDER_CALL, Queue, Topic, Topics

_QUEUE_OF: dict[StepType, Queue] = {
    StepType.IMAGE_GENERATION: "image-generation",
    StepType.VIDEO_SYNTHESIS: "video-synthesis",
    StepType.MOTION_TRANSFER: "motion-transfer",
}


def studio(ports: Ports) -> Topics:
    def work(
        handle: Callable[..., Awaitable[Mapping[UUID, Exception] | None]],
        size: int,
        queue: Queue = "studio",
    ) -> Topic:
        async def handler(messages: Sequence[Message]) -> Mapping[UUID, Exception] | None:
            return await handle(messages, workshop=ports.workshop)

        return Topic(handle=handler, queue=queue, batch_size=size, lease=PROVIDER_CALL)

    return {
        GIVE_TURNS: work(give_turns_for, 100),
        SUBMIT_ATTEMPT: work(submit_attempts, 5),
        **{submit_topic(step): work(submit_attempts, 5, _QUEUE_OF[step]) for step in OWN_QUEUE},
        INGEST_RESULT: work(ingest_results, 3, "post-processing"),
        RUN_STEP: work(run_steps, 3, "post-processing"),
        CANCEL_ATTEMPT: work(cancel_attempts, 5),
        END_JOBS_OF_MODEL: work(end_jobs_of_models, 1),
    }


def media(ports: Ports) -> Topics:
    inspection = Inspection(
        images=ports.images,
        faces=ports.faces,
        videos=ports.videos,
        moderation=ports.moderation,
    )

    async def verify(body: VerifyUpload) -> None:
        await verify_upload(
            body.upload_id,
            uow=ports.uow(),
            storage=ports.storage,
            inspection=inspection,
            clock=ports.clock,
            live=ports.live,
        )

    async def discard(body: DiscardUpload) -> None:
        await discard_upload(body, storage=ports.storage)

    async def delete_images(body: DeleteTrainingImages) -> None:
        await delete_training_images(body, new_uow=ports.uow)

    return {
        ERASE_BYTES: Topic(handle=partial(erase_bytes, storage=ports.storage)),
        DELETE_TRAINING_IMAGES: Topic(
            handle=each(DeleteTrainingImages, delete_images), batch_size=5
        ),
        VERIFY_UPLOAD: Topic(
            handle=each(VerifyUpload, verify),
            queue="studio",
            batch_size=1,
            in_flight=4,
            lease=LONG_RUN,
        ),
        DISCARD_UPLOAD: Topic(handle=each(DiscardUpload, discard), batch_size=5),
    }


def licensing(ports: Ports) -> Topics:
    async def freeze(body: FreezeListings) -> None:
        await freeze_listings(body.grant_id, uow=ports.uow(), clock=ports.clock)

    async def carry_out(body: CarryOutRevocation) -> None:
        await carry_out_revocation(
            body.revocation_id, uow=ports.uow(), clock=ports.clock, ids=ports.ids
        )

    return {
        FREEZE_LISTINGS: Topic(handle=each(FreezeListings, freeze)),
        CARRY_OUT: Topic(handle=each(CarryOutRevocation, carry_out)),
    }

"""What we need from those who make images, videos, voices, meshes and likeness models.

An engine is one model at one provider and takes one kind of request. A submission is one attempt,
whose row is committed before the call. It is sent exactly once, for providers keep no idempotency
keys: a second POST is a second bill. How a call itself fails is told by `application.ports.errors`;
`OutcomeUnknown` from `submit` means that a job may be running there, so look for it in the
provider's list, or, where it has none, wait for its callback. How a job ends is told by EngineJob,
the same whether it was polled, called back, or answered at once. Output URLs are public and expire:
copy them at once.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, Protocol, TypeVar
from uuid import UUID

import msgspec

EngineJobStatus = Literal["queued", "running", "succeeded", "failed"]
FailureClass = Literal["retryable", "fail_over", "permanent"]
"""`retryable`: the same may fare better on another try, here or elsewhere. `fail_over`: not here
and now, so elsewhere if there is one. `permanent`: nowhere, as with refused content."""


class AttemptRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which of our attempts this is. The webhook URL carries the same id as `attempt=` in its
    query, so that a callback finds its attempt even when the answer to the POST was lost."""

    attempt_id: UUID
    webhook_url: str


class LikenessWeights(msgspec.Struct, frozen=True, kw_only=True):
    """A trained likeness; `trigger_word` calls the person in a prompt."""

    trigger_word: str
    weights_url: str


class TextToImage(msgspec.Struct, frozen=True, kw_only=True, tag="text_to_image"):
    """`width` and `height` are pixels and a wish: a provider may know only some proportions."""

    prompt: str
    weights: LikenessWeights | None = None
    seed: int
    width: int
    height: int


class PhotoToImage(msgspec.Struct, frozen=True, kw_only=True, tag="photo_to_image"):
    """Put the person into a scene, whose proportions decide."""

    prompt: str
    weights: LikenessWeights
    scene_image_url: str
    seed: int
    width: int
    height: int


class CharacterToImage(msgspec.Struct, frozen=True, kw_only=True, tag="character_to_image"):
    """The same invented person again. `references_url` is a ZIP of one to four images."""

    prompt: str
    references_url: str
    style: str | None = None
    seed: int
    width: int
    height: int


class ImageToVideo(msgspec.Struct, frozen=True, kw_only=True, tag="image_to_video"):
    """A still begins to move: `motion` from 1 (hardly) to 255 (a lot), `deviation` from 0 to 1 says
    how far the video may leave the still."""

    image_url: str
    motion: int = 127
    deviation: float = 0.02
    frames_per_second: int = 25
    seed: int


class TransferMotion(msgspec.Struct, frozen=True, kw_only=True, tag="transfer_motion"):
    """Whoever is in the image moves as somebody does in the driving video."""

    image_url: str
    driving_video_url: str


class TalkingPortrait(msgspec.Struct, frozen=True, kw_only=True, tag="talking_portrait"):
    """A face speaks what is heard. `still` keeps the head where it is."""

    image_url: str
    audio_url: str
    still: bool = False


class TextToSpeech(msgspec.Struct, frozen=True, kw_only=True, tag="text_to_speech"):
    text: str
    voice: str


class ImageToMesh(msgspec.Struct, frozen=True, kw_only=True, tag="image_to_mesh"):
    """A 3D model, as binary glTF."""

    image_url: str


class UpscaleImage(msgspec.Struct, frozen=True, kw_only=True, tag="upscale_image"):
    image_url: str
    factor: Literal[2, 4] = 2


class TrainLikeness(msgspec.Struct, frozen=True, kw_only=True, tag="train_likeness"):
    """`archive_url` is a ZIP of images that the provider can download."""

    trigger_word: str
    archive_url: str
    steps: int


EngineRequest = (
    TextToImage
    | PhotoToImage
    | CharacterToImage
    | ImageToVideo
    | TransferMotion
    | TalkingPortrait
    | TextToSpeech
    | ImageToMesh
    | UpscaleImage
    | TrainLikeness
)


class EngineOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: at a public address that expires, or in the answer itself."""

    url: str | None = None
    content: bytes | None = None
    content_type: str | None = None


class EngineJob(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job stands. `progress` is a percentage and 100 exactly when it succeeded.

    `outputs` are what the request is for: images, the video, the audio, the mesh, or the weights.
    A failed job has an `error_code`: `content_refused` (by the provider's content policy),
    `invalid_input`, `input_unreadable` (a URL that it could not download), `cancelled`,
    `timed_out`, `runner_failed` or `no_output`; and a failure class. `flagged` are the outputs, by
    position, that the provider itself thinks unsafe. `billed_units` is what it counts by (seconds
    of its machine, or pieces), when it says so.
    """

    request_id: str
    status: EngineJobStatus
    progress: int = 0
    outputs: tuple[EngineOutput, ...] = ()
    error_code: str | None = None
    error_message: str = ""
    failure: FailureClass | None = None
    flagged: tuple[int, ...] = ()
    seed: int | None = None
    billed_units: float | None = None


class VerifiedCallback(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that the provider sent, to our account. `external_id` is the same when it is sent
    again. The job is ours only if its request id, or its attempt, is stored with us."""

    source: str
    external_id: str
    request_id: str
    attempt_id: UUID | None
    job: EngineJob


R_contra = TypeVar("R_contra", contravariant=True, bound=EngineRequest)


class Engine(Protocol[R_contra]):
    """One model at one provider. Both names are stored with every attempt."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def lists_jobs(self) -> bool:
        """Whether the provider can be asked which jobs it has taken, so that `find` can tell."""
        ...

    async def submit(self, request: R_contra, attempt: AttemptRef) -> EngineJob:
        """Start one job. Raises Unavailable, Rejected, OutcomeUnknown."""
        ...

    async def fetch(self, request_id: str) -> EngineJob:
        """Ask where it stands. Raises Unavailable; Rejected when there is no such job."""
        ...

    async def find(
        self, request: R_contra, attempt: AttemptRef, *, since: datetime, known: Collection[str]
    ) -> EngineJob | None:
        """The job of a submission whose answer was lost, among those begun after `since`; `known`
        are the request ids of other attempts. None: it was never taken.

        Ask once the call is over. Raises Unavailable; OutcomeUnknown where nobody can tell.
        """
        ...

    async def cancel(self, request_id: str) -> None:
        """Best effort: a job that has already ended stays as it is."""
        ...


class ProviderWebhooks(Protocol):
    @property
    def provider(self) -> str: ...

    async def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedCallback:
        """Check signature, account and age (300 s past and future), then read the job.

        Raises SignatureRefused for what is not provably the provider's, and Unavailable when its
        keys cannot be had, in which case the callback should be asked for again (answer 503).
        """
        ...


class PromptWish(msgspec.Struct, frozen=True, kw_only=True):
    prompt: str
    style: str | None = None
    max_chars: int = 2000


class PromptEnhancer(Protocol):
    """A language model that makes a prompt richer. Answers at once, and nothing rests on it."""

    async def enhance(self, wish: PromptWish) -> str:
        """The better prompt. Raises Unavailable, OutcomeUnknown, Rejected: content policy."""
        ...

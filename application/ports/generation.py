"""What we need from those who train likeness models and generate images, in our words.

A submission is one attempt, whose row is committed before the call. It is sent exactly once, for
providers keep no idempotency keys: a second POST is a second bill. How a call itself fails is
told by `application.ports.errors`; `OutcomeUnknown` from `submit` means that a job may be running
there, so wait for its callback before trying again. How a job ends is told by ProviderJob, the
same whether it was polled or called back. Output URLs are public and expire: copy them at once.
"""

from collections.abc import Mapping
from typing import Literal, Protocol
from uuid import UUID

import msgspec

GenerationMode = Literal["text", "photo"]
JobStatus = Literal["queued", "running", "succeeded", "failed"]


class AttemptRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which of our attempts this is. The webhook URL carries the same id as `attempt=` in its
    query, so that a callback finds its attempt even when the answer to the POST was lost."""

    attempt_id: UUID
    webhook_url: str


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One image. Text mode composes it from the prompt; photo mode puts the person into a scene.

    `width` and `height` are pixels and a wish: in photo mode the scene's proportions decide, and
    a provider may know only a list of proportions.
    """

    mode: GenerationMode
    prompt: str
    trigger_word: str
    weights_url: str
    scene_image_url: str | None = None
    seed: int
    width: int
    height: int


class TrainingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`archive_url` is a ZIP of images that the provider can download."""

    trigger_word: str
    archive_url: str
    steps: int


class ProviderJob(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job stands. `progress` is a percentage and 100 exactly when it succeeded.

    A failed job has an `error_code`: `content_refused` (by the provider's content policy),
    `invalid_input`, `input_unreadable` (a URL that it could not download), `cancelled`,
    `timed_out`, `runner_failed` or `no_output`. `retryable` says whether the same request may
    fare better on another try.
    """

    request_id: str
    status: JobStatus
    progress: int = 0
    output_urls: tuple[str, ...] = ()
    weights_url: str | None = None
    error_code: str | None = None
    error_message: str = ""
    retryable: bool = False
    seed: int | None = None


class VerifiedCallback(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that the provider sent, to our account. `external_id` is the same when it is sent
    again. The job is ours only if its request id, or its attempt, is stored with us."""

    source: str
    external_id: str
    request_id: str
    attempt_id: UUID | None
    job: ProviderJob


class ImageGenerator(Protocol):
    @property
    def provider(self) -> str: ...

    async def submit(self, request: GenerationRequest, attempt: AttemptRef) -> ProviderJob:
        """Start one image. Raises Unavailable, Rejected, OutcomeUnknown."""
        ...

    async def fetch(self, request_id: str) -> ProviderJob:
        """Ask where it stands. Raises Unavailable; Rejected when there is no such job."""
        ...

    async def cancel(self, request_id: str) -> None:
        """Best effort: a job that has already ended stays as it is."""
        ...


class ModelTrainer(Protocol):
    @property
    def provider(self) -> str: ...

    async def submit(self, request: TrainingRequest, attempt: AttemptRef) -> ProviderJob:
        """Start one training. Raises Unavailable, Rejected, OutcomeUnknown."""
        ...

    async def fetch(self, request_id: str) -> ProviderJob:
        """Ask where it stands. Raises Unavailable; Rejected when there is no such job."""
        ...

    async def cancel(self, request_id: str) -> None:
        """Best effort: a training that has already ended stays as it is."""
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

"""Image and model providers whose jobs move when they are told to.

`submissions` lists what was taken; `complete` and `fail` end a job; `fail_next` makes the next call
fail as the real ones do: with OutcomeUnknown the job is taken although the caller hears nothing.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected
from application.ports.generation import (
    AttemptRef,
    GenerationMode,
    GenerationRequest,
    ProviderJob,
    TrainingRequest,
    VerifiedCallback,
)
from application.ports.webhooks import SignatureRefused

R = TypeVar("R", GenerationRequest, TrainingRequest)
TOLERANCE_S = 300
FULL_PERCENTAGE = 100


class Submission(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    request_id: str
    request: R
    attempt: AttemptRef


class _MemoryJobs(Generic[R]):
    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.submissions: list[Submission[R]] = []
        self._jobs: dict[str, ProviderJob] = {}
        self._failures: list[ProviderError] = []

    def fail_next(self, error: ProviderError) -> None:
        self._failures.append(error)

    def advance(self, request_id: str, *, progress: int) -> None:
        """The job runs, `progress` per cent of it done."""
        self._change(request_id, status="running", progress=progress)

    def fail(self, request_id: str, *, code: str = "runner_failed", retryable: bool = True) -> None:
        self._change(
            request_id,
            status="failed",
            progress=0,
            error_code=code,
            error_message=f"It failed: {code}.",
            retryable=retryable,
        )

    async def submit(self, request: R, attempt: AttemptRef) -> ProviderJob:
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None and not isinstance(failure, OutcomeUnknown):
            raise failure
        request_id = f"{self.provider}-{len(self.submissions) + 1}"
        self.submissions.append(Submission(request_id=request_id, request=request, attempt=attempt))
        self._jobs[request_id] = ProviderJob(request_id=request_id, status="queued")
        if failure is not None:
            raise failure
        return self._jobs[request_id]

    async def fetch(self, request_id: str) -> ProviderJob:
        if self._failures:
            raise self._failures.pop(0)
        return self._known(request_id)

    async def cancel(self, request_id: str) -> None:
        job = self._jobs.get(request_id)
        if job is not None and job.status in ("queued", "running"):
            self.fail(request_id, code="cancelled", retryable=False)

    def _known(self, request_id: str) -> ProviderJob:
        if request_id not in self._jobs:
            raise Rejected("there is no such job", provider=self.provider, reason="not_found")
        return self._jobs[request_id]

    def _change(self, request_id: str, **changes: object) -> None:
        """A job that has ended stays as it ended."""
        job = self._known(request_id)
        if job.status in ("queued", "running"):
            self._jobs[request_id] = msgspec.structs.replace(job, **changes)


class MemoryImageGenerator(_MemoryJobs[GenerationRequest]):
    def __init__(
        self,
        *,
        provider: str = "memory",
        modes: Collection[GenerationMode] = ("text", "photo"),
    ) -> None:
        super().__init__(provider)
        self._modes = frozenset(modes)

    async def submit(self, request: GenerationRequest, attempt: AttemptRef) -> ProviderJob:
        if request.mode not in self._modes:
            raise Rejected(
                "this generator does not know the mode",
                provider=self.provider,
                reason="unsupported_mode",
            )
        if request.mode == "photo" and request.scene_image_url is None:
            raise Rejected(
                "photo mode needs a scene", provider=self.provider, reason="invalid_input"
            )
        return await super().submit(request, attempt)

    def complete(self, request_id: str, *, output_urls: tuple[str, ...] = ()) -> None:
        request = next(s.request for s in self.submissions if s.request_id == request_id)
        self._change(
            request_id,
            status="succeeded",
            progress=FULL_PERCENTAGE,
            output_urls=output_urls or (f"https://results.example/{request_id}.png",),
            seed=request.seed,
        )


class MemoryModelTrainer(_MemoryJobs[TrainingRequest]):
    def __init__(self, *, provider: str = "memory") -> None:
        super().__init__(provider)

    def complete(self, request_id: str, *, weights_url: str = "") -> None:
        self._change(
            request_id,
            status="succeeded",
            progress=FULL_PERCENTAGE,
            weights_url=weights_url or f"https://results.example/{request_id}.safetensors",
        )


class _Notice(msgspec.Struct):
    job: ProviderJob
    attempt_id: UUID | None = None


class MemoryProviderWebhooks:
    """Callbacks signed with a secret that the fake provider and we share."""

    def __init__(
        self, *, clock: Clock, provider: str = "memory", secret: bytes = b"memory"
    ) -> None:
        self.provider = provider
        self._clock = clock
        self._secret = secret

    def signed(
        self, job: ProviderJob, *, attempt_id: UUID | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of the callback that tells of the job."""
        body = msgspec.json.encode(_Notice(job, attempt_id))
        timestamp = str(int(self._clock.now().timestamp()))
        return {"X-Timestamp": timestamp, "X-Signature": self._signature(timestamp, body)}, body

    async def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedCallback:
        given = {name.lower(): value for name, value in headers.items()}
        timestamp = given.get("x-timestamp", "")
        expected = self._signature(timestamp, body)
        if not hmac.compare_digest(expected, given.get("x-signature", "")):
            raise SignatureRefused("The callback's signature does not hold.")
        if abs(self._clock.now().timestamp() - int(timestamp)) > TOLERANCE_S:
            raise SignatureRefused("The callback's time is too far from now.")
        notice = msgspec.json.decode(body, type=_Notice)
        return VerifiedCallback(
            source=self.provider,
            external_id=notice.job.request_id,
            request_id=notice.job.request_id,
            attempt_id=notice.attempt_id,
            job=notice.job,
        )

    def _signature(self, timestamp: str, body: bytes) -> str:
        return hmac.new(self._secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()

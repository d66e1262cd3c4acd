"""Engines whose jobs move when they are told to.

`submissions` lists what was taken; `complete` and `fail` end a job; `fail_next` makes the next call
fail as the real ones do: with OutcomeUnknown the job is taken although the caller hears nothing.
With `lists_jobs` False nobody can ask what was taken; a `forgetful` engine leaves it out.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.engines import (
    AttemptRef,
    EngineJob,
    EngineOutput,
    EngineRequest,
    FailureClass,
    VerifiedCallback,
)
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected
from application.ports.webhooks import SignatureRefused

TOLERANCE_S = 300
COMPLETE = 100


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    request_id: str
    request: Any
    attempt: AttemptRef


class MemoryEngine:
    """See `application.ports.engines.Engine`. Takes any request, unless `takes` names its kinds.

    `suffix` is that of the addresses under which it makes up outputs.
    """

    def __init__(
        self,
        *,
        provider: str = "memory",
        model: str = "model",
        takes: Sequence[type[EngineRequest]] = (),
        suffix: str = "png",
    ) -> None:
        self.provider = provider
        self.model = model
        self.lists_jobs = True
        self.forgetful = False
        self.submissions: list[Submission] = []
        self._takes = tuple(takes)
        self._suffix = suffix
        self._jobs: dict[str, EngineJob] = {}
        self._failures: list[ProviderError] = []

    def fail_next(self, error: ProviderError) -> None:
        self._failures.append(error)

    def advance(self, request_id: str, *, progress: int) -> None:
        """The job runs, `progress` per cent of it done."""
        self._change(request_id, status="running", progress=progress)

    def complete(
        self,
        request_id: str,
        *,
        outputs: Sequence[EngineOutput] | None = None,
        flagged: tuple[int, ...] = (),
        billed_units: float | None = None,
    ) -> None:
        request = next(s.request for s in self.submissions if s.request_id == request_id)
        if outputs is None:
            url = f"https://results.example/{request_id}.{self._suffix}"
            outputs = [EngineOutput(url=url)]
        self._change(
            request_id,
            status="succeeded",
            progress=COMPLETE,
            outputs=tuple(outputs),
            flagged=flagged,
            billed_units=billed_units,
            seed=getattr(request, "seed", None),
        )

    def fail(
        self,
        request_id: str,
        *,
        code: str = "runner_failed",
        failure: FailureClass = "retryable",
    ) -> None:
        self._change(
            request_id,
            status="failed",
            progress=0,
            error_code=code,
            error_message=f"It failed: {code}.",
            failure=failure,
        )

    async def submit(self, request: EngineRequest, attempt: AttemptRef) -> EngineJob:
        if self._takes and not isinstance(request, self._takes):
            raise Rejected(
                "this engine does not take such a request",
                provider=self.provider,
                reason="unsupported_request",
            )
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None and not isinstance(failure, OutcomeUnknown):
            raise failure
        request_id = f"{self.provider}-{self.model}-{len(self.submissions) + 1}"
        self.submissions.append(Submission(request_id=request_id, request=request, attempt=attempt))
        self._jobs[request_id] = EngineJob(request_id=request_id, status="queued")
        if failure is not None:
            raise failure
        return self._jobs[request_id]

    async def fetch(self, request_id: str) -> EngineJob:
        if self._failures:
            raise self._failures.pop(0)
        return self._known(request_id)

    async def find(
        self,
        request: EngineRequest,
        attempt: AttemptRef,
        *,
        since: datetime,
        known: Collection[str],
    ) -> EngineJob | None:
        if self._failures:
            raise self._failures.pop(0)
        if not self.lists_jobs:
            raise OutcomeUnknown("there is no list", provider=self.provider)
        for submission in () if self.forgetful else self.submissions:
            if submission.attempt == attempt and submission.request_id not in known:
                return self._known(submission.request_id)
        return None

    async def cancel(self, request_id: str) -> None:
        job = self._jobs.get(request_id)
        if job is not None and job.status in ("queued", "running"):
            self.fail(request_id, code="cancelled", failure="permanent")

    def _known(self, request_id: str) -> EngineJob:
        if request_id not in self._jobs:
            raise Rejected("there is no such job", provider=self.provider, reason="not_found")
        return self._jobs[request_id]

    def _change(self, request_id: str, **changes: object) -> None:
        """A job that has ended stays as it ended."""
        job = self._known(request_id)
        if job.status in ("queued", "running"):
            self._jobs[request_id] = msgspec.structs.replace(job, **changes)


class _Notice(msgspec.Struct):
    job: EngineJob
    attempt_id: UUID | None = None


class MemoryEngineWebhooks:
    """Callbacks signed with a secret that the fake provider and we share."""

    def __init__(
        self, *, clock: Clock, provider: str = "memory", secret: bytes = b"memory"
    ) -> None:
        self.provider = provider
        self._clock = clock
        self._secret = secret

    def signed(
        self, job: EngineJob, *, attempt_id: UUID | None = None
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

"""Text becomes speech, in the answer itself: there is no job to ask for afterwards."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from adapters.openai.calls import PROVIDER, OpenAiCalls
from application.ports.engines import (
    AttemptRef,
    EngineJob,
    EngineOutput,
    EngineRequest,
    TextToSpeech,
)
from application.ports.errors import OutcomeUnknown, Rejected
from domain.media.clips import sniff_audio

MODEL: Final = "gpt-4o-mini-tts"
CONTENT_TYPE: Final = "audio/mpeg"
CLIENT_REQUEST_ID: Final = "X-Client-Request-Id"
"""Kept in OpenAI's logs beside its own id: by it a call whose answer was lost is known there."""
MOST_BYTES: Final = 32 * 1024 * 1024


class OpenAiSpeech:
    """See `application.ports.engines.Engine`: its jobs have ended when they are submitted.

    They are known by the id that the provider gave the request, or by that of our attempt.
    """

    provider = PROVIDER
    lists_jobs = False

    def __init__(self, calls: OpenAiCalls, *, model: str = MODEL) -> None:
        self.model = model
        self._calls = calls

    async def submit(self, request: EngineRequest, attempt: AttemptRef) -> EngineJob:
        if not isinstance(request, TextToSpeech):
            message = f"{self.model} does not take such a request"
            raise Rejected(message, provider=PROVIDER, reason="unsupported_request")
        content = bytearray()
        async with (
            self._calls.call() as client,
            client.audio.speech.with_streaming_response.create(
                model=self.model,
                voice=request.voice,
                input=request.text,
                response_format="mp3",
                extra_headers={CLIENT_REQUEST_ID: str(attempt.attempt_id)},
            ) as answer,
        ):
            request_id = answer.headers.get("x-request-id") or str(attempt.attempt_id)
            async for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    break
        if sniff_audio(bytes(content[:16])) != "mp3" or len(content) > MOST_BYTES:
            return EngineJob(
                request_id=request_id,
                status="failed",
                error_code="no_output",
                error_message="The provider answered with something else than speech.",
                failure="retryable",
            )
        return EngineJob(
            request_id=request_id,
            status="succeeded",
            progress=100,
            outputs=(EngineOutput(content=bytes(content), content_type=CONTENT_TYPE),),
            billed_units=float(len(request.text)),
        )

    async def fetch(self, request_id: str) -> EngineJob:
        """Nothing is kept there that could be asked for."""
        raise Rejected("there is no such job", provider=PROVIDER, reason="not_found")

    async def find(
        self,
        request: EngineRequest,
        attempt: AttemptRef,
        *,
        since: datetime,
        known: Collection[str],
    ) -> EngineJob | None:
        raise OutcomeUnknown("nothing is kept there that could be found", provider=PROVIDER)

    async def cancel(self, request_id: str) -> None:
        """It has ended already."""

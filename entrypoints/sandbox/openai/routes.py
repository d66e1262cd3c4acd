"""OpenAI's protocol over HTTP: chat completions, moderations, speech, and the list of models.

The language model knows one trick: it makes a prompt richer, the same prompt always the same way.
The moderation model sees what is named in brackets: `[unsafe:sexual/minors]`.
"""

import asyncio
import re
import time
from typing import Annotated, Any, Literal, TypeVar
from uuid import uuid4

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.exceptions import SerializationException
from litestar.response import Stream

from entrypoints.sandbox import clips
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.cut import CutResponse
from entrypoints.sandbox.failures import Failure, Failures
from entrypoints.sandbox.garbage import endless
from entrypoints.sandbox.media import CRASH, REFUSED
from entrypoints.sandbox.part import Billed, part_options
from entrypoints.sandbox.portrait import seeded

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]
MODELS = ("gpt-4o-mini", "omni-moderation-latest", "gpt-4o-mini-tts", "tts-1", "tts-1-hd")
VOICES = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
LIGHTS = ("golden evening light", "soft light of an overcast day", "crisp morning light")
LENSES = ("85 mm lens, shallow depth of field", "35 mm lens, wide view", "50 mm lens at eye level")
MOODS = ("calm and candid", "lively and warm", "quiet, with space around the subject")
UNSAFE = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening"),
    *("illicit", "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent"),
    *("sexual", "sexual/minors", "violence", "violence/graphic"),
)
_NAMED = re.compile(r"\[unsafe:([a-z/-]+)\]")
SURE, DOUBTFUL, FINE = 0.98, 0.7, 0.0003
POLICY = "Your request was rejected as a result of our safety system."


class Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant"]
    content: str


class ChatRequest(msgspec.Struct):
    model: str
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] = 1.0


class ModerationRequest(msgspec.Struct):
    input: str | list[str]
    model: str = "omni-moderation-latest"


class SpeechRequest(msgspec.Struct):
    model: str
    input: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    voice: str
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=4)] = 1.0


def create_openai(config: SandboxConfig, failures: Failures) -> Router:
    taken: list[Billed] = []

    def state() -> dict[str, Any]:
        return {"accepted": len(taken)}

    async def hindrance(request: AnyRequest, path: str) -> Failure | Response[Any] | None:
        """An answer for a call that gets no further; a Failure for one that acts, and then errs."""
        failure = await failures.apply("openai", f"{request.method} {path}")
        if failure is not None and failure.kind == "status":
            headers = {"retry-after": str(failure.retry_after_s)} if failure.status == 429 else None
            return _error(failure.status, failure.message or "server_error", headers=headers)
        if request.headers.get("authorization") != f"Bearer {config.openai_api_key}":
            return _error(401, "invalid_api_key")
        if failure is not None and failure.kind == "refuse":
            return _error(400, "content_policy_violation", POLICY)
        return failure

    def charge(request: AnyRequest, model: str, units: float) -> str:
        request_id = f"req_{uuid4().hex}"
        taken.append(
            Billed(
                provider="openai",
                request_id=request_id,
                model=model,
                status="succeeded",
                units=units,
                attempt=request.headers.get("x-client-request-id", ""),
            )
        )
        return request_id

    @post("/v1/chat/completions", status_code=200)
    async def chat(request: AnyRequest) -> Response[Any] | Stream:
        stopped = await hindrance(request, "/v1/chat/completions")
        if isinstance(stopped, Response):
            return stopped
        asked = await _body(request, ChatRequest)
        if isinstance(asked, Response):
            return asked
        if asked.model not in MODELS:
            return _error(404, "model_not_found")
        prompt = asked.messages[-1].content
        request_id = charge(request, asked.model, len(prompt))
        refused = REFUSED in prompt or (stopped is not None and stopped.kind == "flag")
        answer = {
            "id": f"chatcmpl-{uuid4().hex[:24]}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": asked.model,
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None if refused else richer(prompt),
                        "refusal": "I cannot help with that." if refused else None,
                    },
                    "finish_reason": "content_filter" if refused else "stop",
                    "logprobs": None,
                }
            ],
            "usage": {
                "prompt_tokens": len(prompt.split()),
                "completion_tokens": 40,
                "total_tokens": len(prompt.split()) + 40,
            },
        }
        given = Response(answer, headers={"x-request-id": request_id})
        return await _delivered(stopped, given)

    @post("/v1/moderations", status_code=200)
    async def moderations(request: AnyRequest) -> Response[Any] | Stream:
        stopped = await hindrance(request, "/v1/moderations")
        if isinstance(stopped, Response):
            return stopped
        asked = await _body(request, ModerationRequest)
        if isinstance(asked, Response):
            return asked
        if asked.model not in MODELS:
            return _error(404, "model_not_found")
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        flagged = stopped is not None and stopped.kind == "flag"
        answer = {
            "id": f"modr-{uuid4().hex[:24]}",
            "model": asked.model,
            "results": [_moderated(text, doubtful=flagged) for text in texts],
        }
        return await _delivered(stopped, Response(answer))

    @post("/v1/audio/speech", status_code=200)
    async def speech(request: AnyRequest) -> Response[Any] | Stream:
        stopped = await hindrance(request, "/v1/audio/speech")
        if isinstance(stopped, Response):
            return stopped
        asked = await _body(request, SpeechRequest)
        if isinstance(asked, Response):
            return asked
        if asked.model not in MODELS:
            return _error(404, "model_not_found")
        if asked.voice not in VOICES:
            return _error(400, "invalid_value", f"voice must be one of {', '.join(VOICES)}")
        if REFUSED in asked.input:
            return _error(400, "content_policy_violation", POLICY)
        if CRASH in asked.input:
            return _error(500, "server_error")
        kind = asked.response_format
        content = await asyncio.to_thread(clips.speech, asked.input, voice=asked.voice, kind=kind)
        headers = {"x-request-id": charge(request, asked.model, len(asked.input))}
        given = Response(content, media_type=CONTENT_TYPES[kind], headers=headers)
        return await _delivered(stopped, given)

    async def _delivered(stopped: Failure | None, given: Response[Any]) -> Response[Any] | Stream:
        match stopped:
            case Failure(kind="timeout_after_acceptance"):
                await failures.hang(stopped)
                return CutResponse()
            case Failure(kind="garbage", message="oversized"):
                return Stream(endless(), media_type="audio/mpeg")
            case Failure(kind="garbage", message="nothing"):
                return Response(b"", media_type=given.media_type)
            case Failure(kind="garbage"):
                return Response("<h1>502 Bad Gateway</h1>", media_type="text/html")
            case _:
                return given

    @get("/v1/models")
    async def models(request: AnyRequest) -> Response[Any]:
        stopped = await hindrance(request, "/v1/models")
        if isinstance(stopped, Response):
            return stopped
        listed = [{"id": name, "object": "model", "owned_by": "sandbox"} for name in MODELS]
        return Response({"object": "list", "data": listed})

    return Router(
        "/openai",
        route_handlers=[chat, moderations, speech, models],
        opt=part_options(reset=taken.clear, state=state, billed=lambda: list(taken)),
    )


def _moderated(text: str, *, doubtful: bool) -> dict[str, Any]:
    """`doubtful`: violence is found in whatever it is, and not for sure."""
    named = set(_NAMED.findall(text))
    scores = {name: SURE if name in named else FINE for name in UNSAFE}
    if doubtful:
        scores["violence"] = max(scores["violence"], 0.9)
    return {
        "flagged": any(score >= DOUBTFUL for score in scores.values()),
        "categories": {name: score >= DOUBTFUL for name, score in scores.items()},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in UNSAFE},
    }


def richer(prompt: str) -> str:
    """What was asked for stands first, as it was written."""
    rng = seeded("richer", prompt)
    told = prompt.strip().rstrip(".")
    return f"{told}, {rng.choice(LIGHTS)}, {rng.choice(LENSES)}, {rng.choice(MOODS)}"


async def _body(request: AnyRequest, shape: type[T]) -> T | Response[Any]:
    """The decoded body, or the answer that refuses it."""
    try:
        return msgspec.convert(await request.json(), shape)
    except (SerializationException, msgspec.ValidationError) as error:
        return _error(400, "invalid_request_error", str(error))


def _error(
    status: int, code: str, message: str = "", *, headers: dict[str, str] | None = None
) -> Response[Any]:
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = {"error": {"message": message or code, "type": kind, "param": None, "code": code}}
    return Response(body, status_code=status, headers=headers)

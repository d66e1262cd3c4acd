"""Reads a prediction, the same from the API as from a webhook.

Replicate explains failures in prose, so the reason is found by its known phrases. Messages are our
own words: Replicate's may quote an input.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec

from application.ports.engines import EngineJob, EngineOutput, FailureClass

REFUSED = re.compile(r"nsfw|flagged as sensitive|\bE005\b|content policy|safety", re.IGNORECASE)
UNREADABLE = re.compile(r"failed to download|could not (?:read|fetch|download)", re.IGNORECASE)
INVALID = re.compile(r"invalid input|validation", re.IGNORECASE)
NO_ROOM = re.compile(r"out of memory|queue is full|no capacity|E003", re.IGNORECASE)
SEED = re.compile(r"using seed:\s*(\d+)", re.IGNORECASE)
PERCENTAGE = re.compile(r"(\d{1,3})%")
BARELY_STARTED, NEARLY_DONE = 5, 99


class Prediction(msgspec.Struct):
    """What we read of it. `aborted` is cancelled before it began."""

    id: str
    status: str
    input: dict[str, Any] | None = None
    output: object = None
    logs: str | None = None
    error: str | None = None
    webhook: str | None = None
    metrics: dict[str, Any] | None = None
    model: str | None = None
    version: str | None = None
    created_at: str | None = None


def read(raw: Mapping[str, Any] | bytes) -> tuple[Prediction, EngineJob]:
    """Raises msgspec.ValidationError (or DecodeError) for what is not a prediction."""
    prediction = (
        msgspec.json.decode(raw, type=Prediction)
        if isinstance(raw, bytes)
        else msgspec.convert(raw, Prediction)
    )
    return prediction, _job(prediction)


def attempt_of(prediction: Prediction) -> UUID | None:
    """Our attempt's id, which we wrote into the webhook URL that the prediction carries."""
    values = parse_qs(urlsplit(prediction.webhook or "").query).get("attempt")
    try:
        return UUID(values[0]) if values else None
    except ValueError:
        return None


def _job(prediction: Prediction) -> EngineJob:
    match prediction.status:
        case "succeeded":
            return _succeeded(prediction)
        case "failed":
            return _failed(prediction.id, *_reason(prediction.error or ""))
        case "canceled" | "aborted":
            return _failed(prediction.id, "cancelled", "The job was cancelled.", "permanent")
        case "starting":
            return EngineJob(request_id=prediction.id, status="queued")
        case _:
            return EngineJob(
                request_id=prediction.id, status="running", progress=_progress(prediction.logs)
            )


def _succeeded(prediction: Prediction) -> EngineJob:
    output = prediction.output
    candidates = output if isinstance(output, list) else [output]
    urls = tuple(url for url in candidates if isinstance(url, str) and url)
    if not urls:
        return _failed(
            prediction.id, "no_output", "The provider finished without a result.", "retryable"
        )
    return EngineJob(
        request_id=prediction.id,
        status="succeeded",
        progress=100,
        outputs=tuple(EngineOutput(url=url) for url in urls),
        seed=_seed(prediction),
        billed_units=_seconds(prediction.metrics),
    )


def _reason(error: str) -> tuple[str, str, FailureClass]:
    if REFUSED.search(error):
        return "content_refused", "The provider's content policy declined this.", "permanent"
    if UNREADABLE.search(error):
        return "input_unreadable", "The provider could not download an input.", "retryable"
    if INVALID.search(error):
        return "invalid_input", "The provider could not work with this input.", "permanent"
    if NO_ROOM.search(error):
        return "runner_failed", "The provider had no room for it.", "fail_over"
    return "runner_failed", "The provider's machine failed.", "retryable"


def _failed(request_id: str, code: str, message: str, failure: FailureClass) -> EngineJob:
    return EngineJob(
        request_id=request_id,
        status="failed",
        error_code=code,
        error_message=message,
        failure=failure,
    )


def _seed(prediction: Prediction) -> int | None:
    if found := SEED.search(prediction.logs or ""):
        return int(found[1])
    seed = (prediction.input or {}).get("seed")
    return seed if isinstance(seed, int) else None


def _seconds(metrics: dict[str, Any] | None) -> float | None:
    """Of its machine, by which Replicate bills."""
    seconds = (metrics or {}).get("predict_time")
    return float(seconds) if isinstance(seconds, int | float) else None


def _progress(logs: str | None) -> int:
    found = PERCENTAGE.findall(logs or "")
    return max(BARELY_STARTED, min(int(found[-1]), NEARLY_DONE)) if found else BARELY_STARTED

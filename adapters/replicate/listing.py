"""Finds a prediction whose creation was never confirmed, in the list of all predictions.

The list is newest first, a hundred to a page, and shows of each its model or version, its input and
when it was created, but not its webhook (predictions.list in
https://replicate.com/docs/reference/http). So it is known by its input: the addresses in it are
signed anew each time, so their queries are not compared. Inputs of ours hold a seed, or what only
this job works from; where they do not, whoever asked for the same gets the same.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from adapters.replicate.models import ReplicateModel
from adapters.replicate.outcomes import Prediction, attempt_of
from adapters.replicate.transport import PROVIDER
from application.ports.engines import AttemptRef
from application.ports.errors import OutcomeUnknown, Unavailable

CLOCKS_DIFFER = timedelta(minutes=1)
MOST_PAGES = 20


class Page(msgspec.Struct):
    results: list[Prediction]
    next: str | None = None


class Listing:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def find(
        self,
        served: ReplicateModel[Any],
        given: Mapping[str, Any],
        attempt: AttemptRef,
        *,
        since: datetime,
        known: Collection[str],
    ) -> Prediction | None:
        """Raises Unavailable; OutcomeUnknown when the list does not reach back, or hides inputs."""
        wanted, begun = _lasting(given), since - CLOCKS_DIFFER
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await self._page(cursor)
            for prediction in page.results:
                if _created_at(prediction) < begun:
                    return None
                if prediction.id in known or not _runs(prediction, served):
                    continue
                if attempt_of(prediction) == attempt.attempt_id:
                    return prediction
                if not prediction.input:
                    raise OutcomeUnknown("Replicate shows no inputs any more", provider=PROVIDER)
                if prediction.webhook is None and _lasting(prediction.input) == wanted:
                    return prediction
            if page.next is None:
                return None
            cursor = parse_qs(urlsplit(page.next).query).get("cursor", [""])[0]
        raise OutcomeUnknown("Replicate's list is too long to find it", provider=PROVIDER)

    async def _page(self, cursor: str) -> Page:
        response = await self._http.get(
            "/v1/predictions", params={"cursor": cursor} if cursor else None
        )
        if response.is_error:
            message = f"Replicate refused its list with {response.status_code}"
            raise OutcomeUnknown(message, provider=PROVIDER)
        try:
            return msgspec.json.decode(response.content, type=Page)
        except msgspec.DecodeError as error:
            message = "Replicate's list cannot be read"
            raise Unavailable(message, provider=PROVIDER) from error


def _runs(prediction: Prediction, served: ReplicateModel[Any]) -> bool:
    if served.version:
        return prediction.version == served.version
    return prediction.model == served.name


def _created_at(prediction: Prediction) -> datetime:
    try:
        return datetime.fromisoformat(prediction.created_at or "")
    except ValueError as error:
        raise OutcomeUnknown("Replicate does not say when it began", provider=PROVIDER) from error


def _lasting(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is the same each time that the request is written."""
    return {name: _address(value) for name, value in given.items()}


def _address(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("http://", "https://")):
        return value.partition("?")[0]
    return value

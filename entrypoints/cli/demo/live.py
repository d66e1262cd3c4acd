"""Follow a job as a screen does: over the WebSocket, from its first event to its last."""

import json
from collections.abc import Generator
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from entrypoints.cli.demo.client import WAIT_S, Person, StoryStopped

Event = dict[str, Any]
_LAST = {"job.completed", "job.failed"}


def follow(person: Person, job_id: str) -> Generator[Event, None, None]:
    """The events of the job, as they come, until it has ended; each with its `seq`.

    Raises StoryStopped when one is missing, comes twice, or does not come within a minute.
    """
    try:
        with connect(
            person.live_url,
            additional_headers={"Authorization": f"Bearer {person.access_token}"},
            proxy=None,
        ) as socket:
            socket.send(json.dumps({"type": "subscribe", "channel": f"job:{job_id}"}))
            seen = 0
            while True:
                event: Event = json.loads(socket.recv(timeout=WAIT_S))
                if event["type"] == "error":
                    raise StoryStopped(f"the live channel said {event['error']}")
                if "seq" not in event:
                    continue
                if event["seq"] != seen + 1:
                    raise StoryStopped(f"event {seen + 1} was expected, and {event['seq']} came")
                seen = event["seq"]
                yield event
                if event["type"] in _LAST:
                    return
    except TimeoutError as late:
        raise StoryStopped(f"nothing was told of a job for {WAIT_S:.0f} s") from late
    except (OSError, WebSocketException) as broken:
        raise StoryStopped(f"the live connection broke: {broken}") from broken

"""What has to be true of the studio in the end, whatever happened on the way.

Three books are laid side by side: our rows, the providers' lists of what they took and charge, and
the files in our storage. Each difference is a sentence.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

HELD = """
    SELECT j.id, j.kind, j.status FROM jobs j JOIN credit_holds h ON h.job_id = j.id
    WHERE j.finished_at IS NOT NULL AND h.closed_at IS NULL
"""
"""Whoever ends a job closes its hold; there is a sweep for those that were forgotten, and it has to
find none."""
WRITES_PROMPTS = "gpt-4o-mini"
"""Richer prompts are no steps."""
AT_WORK = {"IN_QUEUE", "IN_PROGRESS", "starting", "processing"}
Row = tuple[Any, ...]


@dataclass
class Truth:
    """`faults` are what is not as it has to be, `counts` what was compared."""

    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def forbid(self, what: str, found: Collection[Any]) -> None:
        if found:
            some = ", ".join(str(one) for one in list(found)[:3])
            self.faults.append(f"{what}: {len(found)}, such as {some}")


async def truth_of(
    database_url: str,
    *,
    billed: Sequence[Mapping[str, Any]],
    stored: Collection[str],
    swept: Collection[str],
) -> Truth:
    """`billed` is the sandbox's `/control/billed`, `stored` every key in our storage, both after
    everything has come to its end; `swept` what is still stored when the sweeps have been there,
    which also erase what ended jobs were made from."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        books = {
            name: [tuple(row) for row in await connection.fetch(query)]
            for name, query in _BOOKS.items()
        }
    finally:
        await connection.close()
    truth = Truth()
    _everything_has_ended(truth, books)
    _paid_once(truth, books, billed)
    _credits_are_exact(truth, books)
    _told_once_and_in_order(truth, books)
    _bytes_have_names(truth, books, stored, swept)
    return truth


def _everything_has_ended(truth: Truth, books: Mapping[str, list[Row]]) -> None:
    truth.counts["jobs"] = len(books["jobs"])
    for _, _, status, *_ in books["jobs"]:
        truth.counts[f"jobs {status}"] += 1
    truth.forbid("jobs without an end", [row[:3] for row in books["jobs"] if not row[3]])
    truth.forbid("messages left", books["messages"])
    waiting = {"planned", "submitting", "unknown", "active"}
    truth.forbid("attempts under way", [row for row in books["attempts"] if row[4] in waiting])
    busy = {"ready", "running", "ingesting"}
    truth.forbid("steps under way", [row[:4] for row in books["steps"] if row[3] in busy])


def _paid_once(
    truth: Truth, books: Mapping[str, list[Row]], billed: Sequence[Mapping[str, Any]]
) -> None:
    by_request = {(row[2], row[3]): row for row in books["attempts"] if row[3]}
    by_id = {str(row[0]): row for row in books["attempts"]}
    paid: dict[UUID, list[str]] = defaultdict(list)
    listed = set()
    for one in billed:
        if one["model"] == WRITES_PROMPTS:
            continue
        truth.counts["requests that the providers list"] += 1
        attempt = by_request.get((one["provider"], one["request_id"])) or by_id.get(one["attempt"])
        if attempt is None:
            truth.faults.append(f"{one['provider']} made {one['request_id']} for nobody")
            continue
        listed.add(attempt[0])
        if one["status"] in AT_WORK:
            truth.faults.append(f"{one['provider']} is still at work on {one['request_id']}")
        if one["units"]:
            truth.counts["requests that cost something"] += 1
            paid[attempt[1]].append(one["request_id"])
    truth.forbid("steps paid more than once", [one for one in paid.items() if len(one[1]) > 1])
    done = {row[0] for row in books["steps"] if row[3] == "succeeded" and row[4]}
    truth.counts["steps that engines have done"] = len(done)
    truth.forbid("steps done and never paid", done - set(paid))
    truth.forbid(
        "requests of ours that the provider does not list",
        [row[2:4] for row in books["attempts"] if row[3] and row[0] not in listed],
    )


def _credits_are_exact(truth: Truth, books: Mapping[str, list[Row]]) -> None:
    for user_id, daily, bought, held, *entries in books["wallets"]:
        if [daily, bought, held] != entries or held:
            truth.faults.append(
                f"the wallet of {user_id} has {daily}, {bought}, held {held}; entries: {entries}"
            )
    truth.counts["wallets"] = len(books["wallets"])
    for job_id, kind, status, _, spent, charged, done, open_holds in books["jobs"]:
        due = {"failed": 0, "expired": 0}.get(status, done)
        if spent != charged or spent != due or open_holds:
            truth.faults.append(
                f"{kind} {job_id} ({status}) has cost {spent}, its charged steps {charged},"
                f" what was delivered {due}; {open_holds} holds are open"
            )
        truth.counts["credits spent"] += spent


def _told_once_and_in_order(truth: Truth, books: Mapping[str, list[Row]]) -> None:
    events: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for job_id, seq, event in books["events"]:
        events[job_id].append({**json.loads(event), "seq": seq})
    truth.counts["live events"] = len(books["events"])
    for (job_id, seq), status in {row[:2]: row[2] for row in books["seqs"]}.items():
        told = events[job_id]
        if [event["seq"] for event in told] != list(range(1, seq + 1)):
            truth.faults.append(f"the events of {job_id} have gaps")
        progress = [event["progress"] for event in told if event["type"] == "job.progress"]
        if progress != sorted(progress):
            truth.faults.append(f"the progress of {job_id} falls: {progress}")
        steps = [event["step_id"] for event in told if event["type"] == "step.completed"]
        truth.forbid(f"steps of {job_id} completed twice", _repeated(steps))
        ends = [e["type"] for e in told if e["type"] in ("job.completed", "job.failed")]
        expected = {"succeeded": ["job.completed"], "cancelled": []}.get(status, ["job.failed"])
        if ends != expected or (expected and told[-1]["type"] != expected[0]):
            last = [event["type"] for event in told[-3:]]
            truth.faults.append(f"{job_id} ({status}) was told as {ends}, at last {last}")


def _bytes_have_names(
    truth: Truth,
    books: Mapping[str, list[Row]],
    stored: Collection[str],
    swept: Collection[str],
) -> None:
    named = {key for row in books["assets"] for key in row if key}
    named |= {row[0] for row in books["weights"]}
    for (results,) in books["results"]:
        named |= {one["key"] for one in json.loads(results)}
    for (outputs,) in books["outputs"]:
        named |= {one["key"] for one in json.loads(outputs) if one.get("key")}
    truth.counts["stored files"] = len(stored)
    truth.forbid("files that no row names", sorted(set(swept) - named))
    truth.forbid("rows whose file is missing", sorted(named - set(stored)))
    truth.forbid("jobs that delivered nothing", books["undelivered"])


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


_BOOKS = {
    "jobs": """
        SELECT j.id, j.kind, j.status, j.finished_at,
            (SELECT coalesce(sum(spent), 0)::int FROM credit_holds h WHERE h.job_id = j.id),
            (SELECT coalesce(sum(credits), 0)::int FROM steps s WHERE s.job_id = j.id AND charged),
            (SELECT coalesce(sum(credits), 0)::int FROM steps s
                WHERE s.job_id = j.id AND s.status = 'succeeded'),
            (SELECT count(*)::int FROM credit_holds h
                WHERE h.job_id = j.id AND h.closed_at IS NULL)
        FROM jobs j ORDER BY j.id
    """,
    # Of what ended days before, nobody is told any more: its events have been purged.
    "seqs": """
        SELECT id, seq, status FROM jobs
        WHERE finished_at IS NULL
            OR finished_at > (SELECT max(created_at) FROM jobs) - interval '1 day'
        ORDER BY id
    """,
    "steps": "SELECT id, job_id, type, status, request FROM steps",
    "attempts": "SELECT id, step_id, provider, request_id, status FROM attempts",
    "events": "SELECT job_id, seq, event FROM job_events ORDER BY job_id, seq",
    "wallets": """
        SELECT w.user_id, w.daily, w.bought, w.held, coalesce(sum(e.daily), 0)::bigint,
            coalesce(sum(e.bought), 0)::bigint, coalesce(sum(e.held), 0)::bigint
        FROM credit_wallets w LEFT JOIN credit_entries e USING (user_id)
        GROUP BY w.user_id
    """,
    "messages": """
        SELECT topic, state, attempts, last_error FROM outbox_messages WHERE state <> 'done'
        UNION ALL
        SELECT topic, state, attempts, last_error FROM inbox_messages WHERE state <> 'done'
    """,
    "assets": "SELECT clean_key, original_key, preview_key, thumbnail_key FROM assets",
    "weights": "SELECT weights_key FROM likeness_models WHERE weights_key IS NOT NULL",
    # What a finished job was made with on the way is erased: nothing goes on from there.
    "results": """
        SELECT s.results FROM steps s JOIN jobs j ON j.id = s.job_id WHERE j.status <> 'succeeded'
    """,
    "outputs": """
        SELECT a.outputs FROM attempts a JOIN jobs j ON j.id = a.job_id
        WHERE j.status <> 'succeeded'
    """,
    "undelivered": """
        SELECT j.id, j.kind FROM jobs j WHERE j.status = 'succeeded' AND j.kind <> 'training'
        AND NOT EXISTS (SELECT FROM assets a WHERE a.generation_id = j.id AND a.state = 'ready')
    """,
}

"""What 100,000 assets cost to list, and what a file of 2 GB does to the processes it passes."""

import asyncio
import contextlib
import hashlib
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil

from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.media import PostgresAssetViews
from adapters.system.clock import SystemClock
from domain.identity.actor import Actor, Role
from domain.media.asset import AssetPurpose, Media
from entrypoints.local.ports import any_free_port
from tests.benchmarks.figures import Figure, at_most, below, middle
from tests.benchmarks.ground import FOLDER, Ground

MANY, FEW, PAGE = 100_000, 1_000, 20
ROUNDS = 60
MIB = 1024 * 1024
LARGE_BYTES = 2000 * MIB
AT_ONCE = 4

_FILL = """
INSERT INTO assets
    (id, owner_id, purpose, media, state, content_type, width, height, size_bytes, sha256,
     clean_key, created_at)
SELECT uuidv7(), $1, CASE WHEN n % 50 = 0 THEN 'product_file' ELSE 'scene_image' END,
    CASE WHEN n % 100 = 0 THEN 'archive' ELSE 'image' END, 'ready', 'image/png', 10, 10, 100,
    repeat('0', 64), 'assets/' || n, now() - n * interval '1 second'
FROM generate_series(1, $2) AS n
"""

FILTERS: dict[str, tuple[AssetPurpose | None, Media | None]] = {
    "all": (None, None),
    "purpose": (AssetPurpose.PRODUCT_FILE, None),
    "media": (None, Media.ARCHIVE),
    "both": (AssetPurpose.PRODUCT_FILE, Media.ARCHIVE),
}


async def listing(ground: Ground) -> list[Figure]:
    """The last pages of an owner of 100,000 assets, with and without filters.

    Baseline: the first page of an owner of 1,000, under the same filter, in turns.
    """
    owners = {MANY: uuid4(), FEW: uuid4()}
    connection = await ground.connect()
    for count, owner in owners.items():
        await connection.execute(_FILL, owner, count)
    await connection.execute("ANALYZE assets")
    await connection.close()
    engine = open_engine(ground.settings.database_url)
    views = PostgresAssetViews(sessions_of(engine))
    ratios: list[float] = []
    deep: list[float] = []
    for purpose, media in FILTERS.values():
        oldest = await views.page(
            owners[MANY], purpose=purpose, media=media, before=None, limit=MANY
        )
        before = oldest[-PAGE - 1].created_at, oldest[-PAGE - 1].id
        times: dict[int, list[float]] = {MANY: [], FEW: []}
        for _ in range(ROUNDS):
            for count, owner in owners.items():
                began = time.perf_counter()
                page = await views.page(
                    owner,
                    purpose=purpose,
                    media=media,
                    before=before if count == MANY else None,
                    limit=PAGE,
                )
                times[count].append((time.perf_counter() - began) * 1000)
                assert len(page) >= PAGE / 2
        deep.append(middle(times[MANY]))
        ratios.append(middle(times[MANY]) / middle(times[FEW]))
    await engine.dispose()
    return [
        Figure(
            name="assets_page",
            value=max(deep),
            unit="ms",
            ratio=max(ratios),
            baseline=f"the first page of {FEW:,} assets; the worst of {', '.join(FILTERS)}",
            goal=at_most(1.5),
        )
    ]


async def two_gigabytes(ground: Ground) -> list[Figure]:
    """A file of 2 GB in parts over HTTP: the API is killed (−9) in the middle of it, the upload
    resumed with what is missing, checked by a worker, fetched again and compared.

    Told is what the processes held in memory of their own at most; the file is not in it.
    """
    path, sha256 = await asyncio.to_thread(_large_archive)
    client = Client(ground, path)
    began = time.perf_counter()
    try:
        with api(ground, client) as pid:
            await client.begin(sha256)
            sending = asyncio.create_task(client.send())
            await client.half_sent.wait()
            client.remember(pid)
            os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(httpx.HTTPError):
                await sending
        with api(ground, client) as pid:
            kept = await client.missing()
            assert 0 < len(kept) < client.part_count, "interrupted, and not from the beginning"
            await client.send()
            await client.complete()
            with ground.likeness("relay"), ground.likeness("worker") as worker:
                await client.until_ready(worker)
            client.remember(pid)
            assert await client.fetched() == sha256, "what comes back is what was sent"
    finally:
        await client.http.aclose()
        path.unlink()
    return [
        Figure(name="upload_2gb_s", value=time.perf_counter() - began, unit="s"),
        Figure(
            name="upload_2gb_own_memory_mb",
            value=client.peak_bytes / MIB,
            unit="MB",
            goal=below(400),
        ),
    ]


class Client:
    """Somebody who uploads; knows how many bytes of their own the servers held at most."""

    def __init__(self, ground: Ground, path: Path) -> None:
        self.http = httpx.AsyncClient(timeout=120, follow_redirects=False)
        self.base = ""
        self.sent = 0
        self.half_sent = asyncio.Event()
        self.part_count = 0
        self.peak_bytes = 0
        self._path = path
        self._upload: dict[str, Any] = {}
        secret = [key.reveal() for key in ground.settings.secret_keys]
        actor = Actor(user_id=UUID(int=7), roles=frozenset({Role.FAN}))
        token, _ = JwtAccessTokens(secret).issue(actor, now=SystemClock().now())
        self._headers = {"Authorization": f"Bearer {token}"}

    async def begin(self, sha256: str) -> None:
        body = {
            "filename": "large.zip",
            "size_bytes": self._path.stat().st_size,
            "content_type": "application/zip",
            "sha256": sha256,
            "purpose": "product_file",
        }
        self._upload = await self._asked("POST", "/uploads", json=body)
        self.part_count = self._upload["part_count"]

    async def missing(self) -> list[int]:
        seen = await self._asked("GET", f"/uploads/{self._upload['id']}")
        there = {part["number"] for part in seen["parts"]}
        return [n for n in range(1, self.part_count + 1) if n not in there]

    async def send(self) -> None:
        numbers = await self.missing()
        for start in range(0, len(numbers), AT_ONCE):
            asked = {"numbers": numbers[start : start + AT_ONCE]}
            path = f"/uploads/{self._upload['id']}/parts"
            links = await self._asked("POST", path, json=asked)
            await asyncio.gather(*map(self._put, links))

    async def _put(self, link: dict[str, Any]) -> None:
        content = await asyncio.to_thread(self._part, link["number"], link["size_bytes"])
        (await self.http.put(link["url"], content=content)).raise_for_status()
        self.sent += 1
        if self.sent >= self.part_count // 2:
            self.half_sent.set()

    def _part(self, number: int, size_bytes: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek((number - 1) * self._upload["part_bytes"])
            return file.read(size_bytes)

    async def complete(self) -> None:
        await self._asked("POST", f"/uploads/{self._upload['id']}/complete")

    async def until_ready(self, worker: int) -> None:
        while True:
            seen = await self._asked("GET", f"/uploads/{self._upload['id']}")
            self.remember(worker)
            if seen["state"] != "verifying":
                assert seen["state"] == "ready", seen
                return
            await asyncio.sleep(0.2)

    async def fetched(self) -> str:
        answer = await self.http.get(
            f"{self.base}/assets/{self._upload['id']}/content", headers=self._headers
        )
        digest = hashlib.sha256()
        async with self.http.stream("GET", answer.headers["location"]) as served:
            async for chunk in served.aiter_bytes(MIB):
                digest.update(chunk)
        return digest.hexdigest()

    def remember(self, pid: int) -> None:
        """Memory of their own: what is mapped of a file is the system's to take back."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for one in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    memory = one.memory_info()
                    self.peak_bytes = max(self.peak_bytes, memory.rss - memory.shared)

    async def _asked(self, method: str, path: str, **body: Any) -> Any:
        answer = await self.http.request(method, self.base + path, headers=self._headers, **body)
        assert answer.status_code < 300, answer.text
        return answer.json()["data"]


@contextlib.contextmanager
def api(ground: Ground, client: Client) -> Iterator[int]:
    port = any_free_port()
    client.base = f"http://127.0.0.1:{port}/api/v1"
    with ground.process(
        *("-m", "entrypoints.cli.main", "api"),
        ready_url=f"http://127.0.0.1:{port}/health/ready",
        LIKENESS_PORT=str(port),
        LIKENESS_BASE_URL=f"http://127.0.0.1:{port}",
    ) as pid:
        yield pid


def _large_archive() -> tuple[Path, str]:
    """Stored, not deflated, as photographs and films are in an archive."""
    path = FOLDER / "large.zip"
    block = os.urandom(MIB)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("film.raw")
        with archive.open(entry, "w", force_zip64=False) as film:
            for _ in range(LARGE_BYTES // MIB):
                film.write(block)
    with path.open("rb") as file:
        return path, hashlib.file_digest(file, "sha256").hexdigest()

"""What the studio adds to the time that a provider takes."""

import asyncio
import time
from datetime import UTC, datetime

import httpx

from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import UuidV7Ids
from domain.identity.actor import Actor, Role
from domain.licensing.terms import Capability
from entrypoints.local.ports import any_free_port
from tests import builders
from tests.benchmarks.figures import Figure, below, middle, percentile
from tests.benchmarks.ground import Ground
from tests.pictures import picture

MODELS = 15
COLD = 3
WITHIN_S = 30.0


async def relief(ground: Ground) -> list[Figure]:
    """A 3D model of an uploaded image: from the 202 that its job is queued until the mesh is stored
    and the job has succeeded, less the time from the provider's taking the request to its being
    done.

    API, relay, worker, Redis, PostgreSQL and the sandbox are real processes; one job at a time.
    """
    port = any_free_port()
    with ground.sandbox() as sandbox:
        environ = {
            "LIKENESS_SANDBOX_URL": sandbox,
            "LIKENESS_BASE_URL": f"http://127.0.0.1:{port}",
        }
        with (
            ground.api(port, LIKENESS_SANDBOX_URL=sandbox),
            ground.likeness("worker", **environ),
            ground.likeness("relay", **environ),
        ):
            whole_s, provider_s = await _models(ground, port, sandbox)
    ours_s = [whole - provider for whole, provider in zip(whole_s, provider_s, strict=True)]
    return [
        Figure(
            name="studio_3d_overhead_s",
            value=middle(ours_s),
            unit="s",
            baseline=f"p95 {percentile(ours_s, 95):.2f} s; provider {middle(provider_s):.2f} s",
            goal=below(0.5),
        )
    ]


async def _models(ground: Ground, port: int, sandbox: str) -> tuple[list[float], list[float]]:
    """Seconds of each job in all, and at its provider; the first ones meet cold caches."""
    creator_id, token = await _licensed(ground)
    connection = await ground.connect()
    whole_s: list[float] = []
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/api/v1",
        headers={"authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    ) as http:
        scene = await http.post(
            "/assets",
            files={"file": ("scene.png", picture("PNG", (1024, 1024)), "image/png")},
            data={"purpose": "scene_image"},
        )
        wish = {
            "creator_id": creator_id,
            "kind": "model_3d",
            "source_asset_id": scene.raise_for_status().json()["data"]["id"],
        }
        for _model in range(COLD + MODELS):
            asked = (await http.post("/generations", json=wish)).raise_for_status()
            began = time.perf_counter()
            job_id = asked.json()["data"]["id"]
            while not await connection.fetchval(
                "SELECT status = 'succeeded' FROM jobs WHERE id = $1", job_id
            ):
                await asyncio.sleep(0.002)
                if time.perf_counter() - began > WITHIN_S:
                    raise RuntimeError(f"a 3D model was not made within {WITHIN_S:.0f} s")
            whole_s.append(time.perf_counter() - began)
        state = (await http.get(f"{sandbox}/control/state")).json()
    await connection.close()
    provider_s = [request["taken_s"] for request in state["fal"]["requests"]]
    return whole_s[COLD:], provider_s[COLD:]


async def _licensed(ground: Ground) -> tuple[str, str]:
    """A creator who licenses everything, and the token of a fan with credits enough."""
    engine = open_engine(ground.postgres.plain_url)
    uow = PostgresUnitOfWork(sessions_of(engine), clock=SystemClock(), ids=UuidV7Ids())
    licence = builders.terms(capabilities=frozenset(Capability))
    market = await builders.market(uow, licence=licence)
    (fan,) = await builders.fans_with_credits(uow, 1)
    await engine.dispose()
    tokens = JwtAccessTokens([key.reveal() for key in ground.settings.secret_keys])
    token, _ = tokens.issue(Actor(fan.id, frozenset({Role.FAN})), now=datetime.now(UTC))
    return str(market.creator.id), token

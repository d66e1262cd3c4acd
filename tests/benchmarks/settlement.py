"""How fast paid orders are settled, and whether any row stands in the way."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

from tests.benchmarks import sales
from tests.benchmarks.figures import Figure, at_least, middle
from tests.benchmarks.ground import Ground
from tests.benchmarks.settlers import Settlers

ROUNDS = 3
ORDERS = {"default": 4_000, "eight": 6_400, "many": 6_400}
PGBENCH_CLIENTS = 8
PGBENCH_EACH = 300
_SCRIPT = Path(__file__).with_suffix(".sql")
_RATE = re.compile(r"tps = ([\d.]+)")


async def settlement(ground: Ground) -> list[Figure]:
    """Webhook row → order paid, entries, balances, earnings, grants and outbox written, row done.

    Ours: the worker's own path (claim, handle, finish) over batches of 100, from dispatched rows;
    one process with the settings' 16 batches at a time, as `likeness worker` starts by default;
    and 8, then 32 workers (batches at a time) over as many processes as there are cores.
    Baseline: pgbench with 8 clients and prepared statements doing the same writes on the same
    tables of the same server, one transaction per order (`settlement.sql`). The rounds alternate;
    medians are told.
    """
    connection = await ground.connect()
    kept = await sales.sample(ground)
    cores = os.cpu_count() or 1
    threads = ground.settings.worker_threads
    rates: dict[str, list[float]] = {"pgbench": [], "default": [], "eight": [], "many": []}

    async def fed(name: str, settlers: Settlers) -> None:
        first, last = await sales.prepare_sales(connection, kept, ORDERS[name])
        rates[name].append(await settlers.settle(await sales.webhook_ids(connection, first, last)))
        await _require_settled(connection, first, last)

    settlers = {
        "default": Settlers(ground.environ, processes=1, workers=threads),
        "eight": Settlers(ground.environ, processes=cores, workers=8),
        "many": Settlers(ground.environ, processes=cores, workers=32),
    }
    try:
        for (
            one
        ) in settlers.values():  # plans, pools and caches, as in a worker that has run a while
            await _warm_up(connection, kept, one)
        for _ in range(ROUNDS):
            first, last = await sales.prepare_sales(
                connection, kept, PGBENCH_CLIENTS * PGBENCH_EACH
            )
            rates["pgbench"].append(await asyncio.to_thread(_pgbench, ground, first))
            await _require_settled(connection, first, last)
            for name, one in settlers.items():
                await fed(name, one)
    finally:
        for one in settlers.values():
            one.close()
        await connection.close()
    found = {name: middle(measured) for name, measured in rates.items()}
    against = f"pgbench, {PGBENCH_CLIENTS} clients: {found['pgbench']:,.0f}/s"
    return [
        Figure(
            name="settlement",
            value=found["default"],
            unit="orders/s",
            ratio=found["default"] / found["pgbench"],
            baseline=against,
            goal=at_least(1.0),
        ),
        Figure(
            name="settlement_8_workers",
            value=found["eight"],
            unit="orders/s",
            ratio=found["eight"] / found["pgbench"],
            baseline=against,
            goal=at_least(1.0),
        ),
        Figure(
            name="settlement_32_workers",
            value=found["many"],
            unit="orders/s",
            ratio=found["many"] / found["eight"],
            baseline="8 workers",
            goal=at_least(0.8),
        ),
    ]


async def _warm_up(connection: sales.Connection, kept: sales.Sample, settlers: Settlers) -> None:
    first, last = await sales.prepare_sales(connection, kept, 1_000)
    await settlers.settle(await sales.webhook_ids(connection, first, last))


def _pgbench(ground: Ground, first: int) -> float:
    result = subprocess.run(
        [
            ground.postgres.bin_dir / "pgbench",
            *("-n", "-M", "prepared", "-f", str(_SCRIPT)),
            *("-c", str(PGBENCH_CLIENTS), "-j", "2", "-t", str(PGBENCH_EACH)),
            *("-D", "i=-1", "-D", f"first={first}", "-D", f"each={PGBENCH_EACH}"),
            ground.postgres.plain_url,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = _RATE.search(result.stdout)
    if found is None:
        raise RuntimeError(result.stdout + result.stderr)
    return float(found[1])


async def _require_settled(connection: sales.Connection, first: int, last: int) -> None:
    """A rate counts only if everything was written."""
    unsettled = await connection.fetchval(
        """
        SELECT count(*) FROM bench_sales s
        JOIN orders o ON o.id = s.order_id
        JOIN inbox_messages i ON i.id = s.inbox_id
        WHERE s.n BETWEEN $1 AND $2 AND NOT (
            o.payment_status = 'paid' AND i.state = 'done'
            AND (SELECT count(*) = 5 FROM ledger_entries e JOIN ledger_transactions t
                 ON t.id = e.transaction_id WHERE t.order_id = s.order_id)
            AND (SELECT count(*) = 2 FROM earnings e WHERE e.order_id = s.order_id)
            AND EXISTS (SELECT FROM asset_grants g WHERE g.asset_id = s.asset_id
                AND g.user_id = s.buyer_id AND g.order_id = s.order_id)
        )
        """,
        first,
        last,
    )
    if unsettled:
        raise RuntimeError(f"{unsettled} orders were not settled")

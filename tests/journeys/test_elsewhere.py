"""The same job where an operator would run it: given servers, and files in a bucket."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests import infrastructure
from tests.infrastructure import ROOT, PostgresServer, Slot


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    admin = boto3.resource(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    yield admin.create_bucket(Bucket=f"journey-{uuid4()}")
    admin.meta.client.close()
    server.stop()


@pytest.fixture(scope="module")
def document(
    bucket: Any,
    postgres_server: PostgresServer,
    redis_url: str,
    slot: Slot,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """What `likeness demo --json` prints, once it has brought up a stack and stopped it again."""
    database = f"likeness_journey_{slot.number}"
    infrastructure.fresh_database(postgres_server, name=database)
    data_dir: Path = tmp_path_factory.mktemp("elsewhere")
    endpoint = bucket.meta.client.meta.endpoint_url
    given = {
        "LIKENESS_DATA_DIR": str(data_dir),
        "LIKENESS_DATABASE_URL": postgres_server.url_of(database),
        "LIKENESS_REDIS_URL": redis_url,
        "LIKENESS_STORAGE_URL": f"s3://{bucket.name}?endpoint={endpoint}&region=us-east-1",
        "LIKENESS_S3_ACCESS_KEY_ID": "key",
        "LIKENESS_S3_SECRET_ACCESS_KEY": "secret",
        "LIKENESS_RATE_LIMITS": "off",
    }
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli.main", "demo", "--json"],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not (data_dir / "postgres").exists()
    assert not (data_dir / "redis").exists()
    return json.loads(done.stdout)


def test_the_document_tells_the_whole_story(document: Any) -> None:
    assert [order["total_cents"] for order in document["orders"]] == [5900]
    assert sum(leg["amount_cents"] for leg in document["legs"]) == 5900
    assert [refund["amount_cents"] for refund in document["refunds"]] == [500, 2500]
    sent = {(transfer["amount_cents"], transfer["status"]) for transfer in document["transfers"]}
    assert sent == {(450, "sent"), (135, "sent"), (1890, "sent"), (555, "sent")}
    assert {back["amount_cents"] for back in document["reversals"]} == {250, 1050}
    assert document["declined_card"] is True
    assert len(document["refused_listing"]) == 3


def test_the_books_are_sound_there_too(document: Any) -> None:
    assert document["ledger_verified"] is True
    assert document["trial_balance_sum_cents"] == 0
    assert document["trial_balance"]["platform_revenue"] == 290
    assert document["trial_balance"]["production_cost_payable"] == 880


def test_originals_and_copies_are_in_the_bucket(document: Any, bucket: Any) -> None:
    asset_id = document["orders"][0]["lines"][0]["asset_id"]

    names = {found.key.rpartition("/")[2] for found in bucket.objects.filter(Prefix="assets/")}
    of_the_shirt = [found.key for found in bucket.objects.filter(Prefix=f"assets/{asset_id}/")]

    assert {name.partition(".")[0] for name in names} >= {"clean", "preview", "thumbnail"}
    assert len(of_the_shirt) >= 3

"""Embedded servers: shared by those who need them, gone with the last of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from entrypoints.local.account import server_account
from entrypoints.local.errors import LocalError
from entrypoints.local.postgres import EmbeddedPostgres
from entrypoints.local.redis import EmbeddedRedis
from entrypoints.local.server import socket_folder
from tests.infrastructure import ROOT


def test_a_server_stops_when_its_last_user_leaves(tmp_path: Path) -> None:
    first, second = (EmbeddedRedis(tmp_path / "redis") for _ in range(2))
    first.start()
    second.start()

    first.stop()
    assert second.answers()

    second.stop()
    assert not second.answers()


def test_data_is_found_again(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        server.run_sql("CREATE TABLE kept AS SELECT 42 AS value", database="likeness")

    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        assert server.run_sql("SELECT value FROM kept", database="likeness") == "42"


def test_a_server_goes_when_its_only_user_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from entrypoints.local.redis import EmbeddedRedis;"
        "EmbeddedRedis(pathlib.Path(sys.argv[1])).start(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "redis")], cwd=ROOT, check=False)

    with EmbeddedRedis(tmp_path / "redis") as server:
        assert server.answers()
    assert not server.answers()


def test_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)

    with EmbeddedRedis(folder) as server:
        assert server.answers()
        assert len(os.fsencode(server.socket_path)) <= 103
    assert socket_folder(tmp_path, file_name="x").parent == tmp_path
    server.socket_path.parent.rmdir()


def test_a_folder_with_a_space_in_its_name_works(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "with a space", durable=False) as server:
        assert server.run_sql("SELECT 1") == "1"


def test_a_cluster_of_another_version_is_not_touched(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    with server:
        pass
    version = server.cluster / "PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(LocalError, match="made by PostgreSQL 17"):
        server.start()

    assert version.exists()


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        assert server.run_sql("SELECT 1") == "1"


def test_a_server_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False, max_connections=-1)

    with pytest.raises(LocalError, match="max_connections"):
        server.start()


def test_only_root_changes_the_account() -> None:
    account = server_account()

    assert (account.user_id is None) == (os.geteuid() != 0)

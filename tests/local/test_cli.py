"""The command line: what can be expected to go wrong is a sentence on standard error."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest

from entrypoints.cli.failures import explain
from entrypoints.cli.main import COMMANDS
from entrypoints.local.errors import LocalError
from entrypoints.settings import SettingsError
from tests.infrastructure import ROOT


def likeness(
    *arguments: str, data_dir: Path, typed: str = "", **environ: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "entrypoints.cli.main", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LIKENESS_DATA_DIR": str(data_dir), **environ},
        check=False,
        timeout=60,
    )


def test_the_help_names_every_command_and_imports_none_of_them(tmp_path: Path) -> None:
    result = likeness("--help", data_dir=tmp_path)

    assert result.returncode == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)


def test_the_doctor_finds_a_fresh_machine_healthy(tmp_path: Path) -> None:
    result = likeness("doctor", "--json", data_dir=tmp_path)

    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert all(finding["ok"] for finding in findings.values()), findings
    assert "embedded, version 18" in findings["PostgreSQL"]["detail"]
    assert "played by the sandbox" in findings["Stripe"]["detail"]
    assert result.returncode == 0


def test_the_doctor_says_what_to_do_about_unreachable_servers(tmp_path: Path) -> None:
    result = likeness(
        "doctor",
        data_dir=tmp_path,
        LIKENESS_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x",
        LIKENESS_REDIS_URL="redis://127.0.0.1:1/0",
    )

    assert result.returncode == 1
    assert "check LIKENESS_DATABASE_URL" in result.stdout
    assert "check LIKENESS_REDIS_URL" in result.stdout
    assert "hunter2" not in result.stdout + result.stderr


def test_the_doctor_lists_every_problem_of_the_settings(tmp_path: Path) -> None:
    result = likeness("doctor", data_dir=tmp_path, LIKENESS_PORT="x", LIKENESS_HOLD_DAYS="y")

    assert result.returncode == 1
    assert "LIKENESS_PORT" in result.stdout
    assert "LIKENESS_HOLD_DAYS" in result.stdout


@pytest.mark.parametrize("command", [("up",), ("demo",), ("api",), ("migrate", "up")])
def test_wrong_settings_are_sentences(command: tuple[str, ...], tmp_path: Path) -> None:
    result = likeness(*command, data_dir=tmp_path, LIKENESS_PORT="x")

    assert result.returncode == 1
    assert "LIKENESS_PORT is `x`" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_data_folder_without_the_right_to_write_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    result = likeness("up", data_dir=tmp_path / "file" / "data", LIKENESS_SECRET_KEY="k" * 32)

    assert result.returncode == 1
    assert "LIKENESS_DATA_DIR" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = likeness("up", data_dir=tmp_path, LIKENESS_PORT=port)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"Port {port} on 127.0.0.1 is taken" in result.stderr


def test_an_unreachable_database_is_a_sentence(tmp_path: Path) -> None:
    url = "postgresql://u:hunter2@127.0.0.1:1/x"
    result = likeness("migrate", "up", data_dir=tmp_path, LIKENESS_DATABASE_URL=url)

    assert result.returncode == 1
    assert "does not answer" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr


def test_settings_are_shown_without_their_secrets(tmp_path: Path) -> None:
    result = likeness("settings", "show", data_dir=tmp_path, LIKENESS_SECRET_KEY="hunter2" * 6)

    assert "LIKENESS_SECRET_KEY" in result.stdout
    assert "hunter2" not in result.stdout


def test_the_clock_of_a_stack_that_is_not_up_cannot_be_moved(tmp_path: Path) -> None:
    result = likeness("dev", "advance-clock", "8d", data_dir=tmp_path)

    assert result.returncode == 1
    assert "No stack of this checkout is up" in result.stderr


def test_no_bank_acts_where_no_stack_is_up(tmp_path: Path) -> None:
    result = likeness("dev", "dispute", "ch_1", "--outcome", "lost", data_dir=tmp_path)

    assert result.returncode == 1
    assert "No stack of this checkout is up" in result.stderr
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SettingsError(["LIKENESS_PORT is `x`"]), True),
        (LocalError("the port is taken"), True),
        (ConnectionRefusedError("no"), True),
        (PermissionError(13, "denied", "/data"), True),
        (BrokenPipeError(), False),
        (ZeroDivisionError(), False),
        (click.ClickException("click tells these itself"), False),
    ],
)
def test_only_failures_of_the_surroundings_are_told_as_sentences(
    error: Exception, told: bool
) -> None:
    assert (explain(error) is not None) is told

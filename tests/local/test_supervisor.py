"""However a stack ends, nothing of it stays behind. Real processes, real signals."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from entrypoints.local.ports import any_free_port
from entrypoints.local.supervisor import running_stack
from tests.infrastructure import ROOT

StartStack = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_stack() -> Iterator[StartStack]:
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *more: str, port: int | None = None) -> "subprocess.Popen[str]":
        port = any_free_port() if port is None else port  # not one that another test may be given
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.local.stack", str(folder), str(port), *more],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def read_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if words in line:
            return lines
    raise AssertionError(f"never said {words!r}: {lines}")


def processes_of(folder: Path) -> list[str]:
    """Everything that runs with the folder in its command line, and what was written down."""
    found = []
    for process in psutil.process_iter(["cmdline", "status", "pid"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        if str(folder) in " ".join(process.info["cmdline"] or []):
            found.append(f"{process.info['pid']} {process.info['cmdline']}")
    return found


def is_gone(folder: Path, *, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while processes_of(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_in_order(
    start_stack: StartStack, tmp_path: Path, number: signal.Signals
) -> None:
    stack = start_stack(tmp_path, "postgres")
    read_until(stack, "test: up")
    url = running_stack(tmp_path)["base_url"]
    assert answers(url)

    stack.send_signal(number)

    assert stack.wait(timeout=20) == 0
    assert is_gone(tmp_path)
    assert not answers(url)
    assert running_stack(tmp_path) == {}


def test_a_stage_starts_when_all_parts_of_the_one_before_are_ready(
    start_stack: StartStack, tmp_path: Path
) -> None:
    lines = read_until(start_stack(tmp_path, "postgres"), "test: up")

    ready = [line.split()[1] for line in lines if "ready after" in line]
    assert set(ready[:2]) == {"PostgreSQL", "Redis"}
    assert ready[2:] == ["once", "web"]
    assert "once: migrated" in lines


def test_a_killed_supervisor_takes_its_parts_along(start_stack: StartStack, tmp_path: Path) -> None:
    stack = start_stack(tmp_path, "postgres")
    read_until(stack, "test: up")
    url = running_stack(tmp_path)["base_url"]

    stack.kill()

    assert is_gone(tmp_path)
    assert not answers(url)


def test_a_stack_starts_again_right_after_it_was_killed(
    start_stack: StartStack, tmp_path: Path
) -> None:
    first = start_stack(tmp_path)
    read_until(first, "test: up")
    first.kill()

    second = start_stack(tmp_path)

    read_until(second, "test: up")


def test_what_crashes_is_started_again(start_stack: StartStack, tmp_path: Path) -> None:
    stack = start_stack(tmp_path, "postgres")
    read_until(stack, "test: up")
    server = int((tmp_path / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    children = psutil.Process(stack.pid).children()
    web = next(child for child in children if "HTTPServer" in " ".join(child.cmdline()))

    web.kill()
    read_until(stack, "web ended (signal SIGKILL); starting it again")
    os.kill(server, signal.SIGKILL)
    read_until(stack, "PostgreSQL does not answer; starting it again")


def test_a_leader_that_crashes_is_started_again_though_its_servers_live_on(
    start_stack: StartStack, tmp_path: Path
) -> None:
    stack = start_stack(tmp_path, "leader")
    read_until(stack, "test: up")
    children = psutil.Process(stack.pid).children()
    leader = next(child for child in children if "subprocess.run" in " ".join(child.cmdline()))
    while not (servers := leader.children()):
        time.sleep(0.02)

    leader.kill()

    read_until(stack, "leader ended (signal SIGKILL); starting it again")
    psutil.wait_procs(servers, timeout=10)
    assert not any(server.is_running() for server in servers)


def test_a_second_supervisor_says_who_holds_the_place(
    start_stack: StartStack, tmp_path: Path
) -> None:
    first = start_stack(tmp_path)
    read_until(first, "test: up")

    second = start_stack(tmp_path)

    (line,) = read_until(second, "error:")
    assert f"run by process {first.pid} already at http://127.0.0.1:" in line
    assert second.wait(timeout=10) == 1


def test_two_stacks_run_side_by_side(start_stack: StartStack, tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    stacks = [start_stack(folder, port=0) for folder in folders]  # at the same moment
    for stack in stacks:
        read_until(stack, "test: up")

    urls = {running_stack(folder)["base_url"] for folder in folders}

    assert len(urls) == 2
    assert all(answers(url) for url in urls)


def test_a_taken_port_is_one_clear_sentence(start_stack: StartStack, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        stack = start_stack(tmp_path, port=port)

        (line,) = read_until(stack, "error:")
        assert f"Port {port} on 127.0.0.1 is taken" in line
        assert "LIKENESS_PORT" in line
        assert stack.wait(timeout=10) == 1


def test_a_part_that_ignores_the_request_to_stop_is_killed(
    start_stack: StartStack, tmp_path: Path
) -> None:
    stack = start_stack(tmp_path, "stubborn")
    read_until(stack, "test: up")
    time.sleep(0.3)  # until it has put its ear plugs in

    stack.send_signal(signal.SIGTERM)

    read_until(stack, "stubborn does not stop; killing it")
    assert stack.wait(timeout=20) == 0

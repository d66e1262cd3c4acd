"""The server as a process: it starts, serves, drains and says what is wrong."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ROOT = Path(__file__).parents[3]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@contextmanager
def started(port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.http.platform.served_example", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=1)
                    break
                except httpx.HTTPError:
                    time.sleep(0.05)
            yield process
        finally:
            process.terminate()


def test_a_stopping_server_finishes_what_it_has_begun(port: int) -> None:
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.get(f"http://127.0.0.1:{port}/slow", timeout=10))

    with started(port) as process:
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        asking.join(timeout=10)
        code = process.wait(timeout=15)

    assert [answer.json()["data"] for answer in answers] == ["done"]
    assert code == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=1)


def test_a_taken_port_is_named(port: int) -> None:
    with started(port):
        command = [sys.executable, "-m", "tests.http.platform.served_example", str(port)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=30, check=False)

    assert second.returncode == 3
    assert f"127.0.0.1:{port} is taken" in second.stderr.decode()


def test_a_stopping_server_lets_go_of_websockets(port: int) -> None:
    with started(port) as process:
        with connect(f"ws://127.0.0.1:{port}/api/v1/live") as live:
            live.send(json.dumps({"type": "authenticate", "token": "ada"}))
            assert json.loads(live.recv(timeout=5)) == {"type": "authenticated"}
            process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                live.recv(timeout=8)
        assert process.wait(timeout=8) == 0

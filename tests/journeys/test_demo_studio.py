"""`likeness demo studio`, as somebody types it, on a stack that is up."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.infrastructure import ROOT
from tests.journeys.stack import Stack


def demo_studio(stack: Stack) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "entrypoints.cli.main", "demo", "studio", "--json"],
        cwd=ROOT,
        env={**os.environ, "LIKENESS_DATA_DIR": str(stack.settings.data_dir), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def told(stack: Stack) -> "subprocess.CompletedProcess[str]":
    return demo_studio(stack)


@pytest.fixture(scope="module")
def outcome(told: "subprocess.CompletedProcess[str]") -> Any:
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_it_tells_its_steps_in_order(told: "subprocess.CompletedProcess[str]") -> None:
    assert told.returncode == 0, told.stderr
    milestones = (
        "4 files in 5 parts",
        "the likeness model is ready: training → storing",
        "licence v2 is published",
        "buys 500 credits and the plan pro",
        "makes the prompt richer",
        "the character's image is ready",
        "the video is ready: image_generation → video_synthesis → post_processing",
        "the moving portrait is ready: motion_transfer → post_processing",
        "the talking avatar is ready",
        "the 3D model is ready: model_3d → post_processing",
        "an administrator looks at it, and publishes it",
        "another fan likes it and uses it",
        "the delivered image is valid: made by",
        "with one bit flipped it is invalid; saved anew, its credentials: none",
    )
    positions = [told.stderr.find(milestone) for milestone in milestones]
    assert -1 not in positions, told.stderr
    assert positions == sorted(positions)


def test_each_wallet_is_the_sum_of_its_entries(outcome: Any) -> None:
    for account in outcome["accounts"]:
        credits = account["credits"]
        assert account["entries_sum"] == credits["balance"]
        assert credits["held"] == 0
    spent = sum(entry["spent"] for account in outcome["accounts"] for entry in account["entries"])
    assert spent == sum(made["credits"] for made in outcome["made"])
    assert [made["credits"] for made in outcome["made"]] == [50, 2, 6, 4, 9, 8, 2]


def test_every_call_to_a_provider_is_one_step_that_was_done(outcome: Any) -> None:
    """And one call of the language model, which is a step of no job."""
    calls = {(one["provider"], one["model"]): one["times"] for one in outcome["calls"]}
    steps = [step for made in outcome["made"] for step in made["steps"]]
    ours = ("post_processing", "storing")
    assert sum(calls.values()) == 1 + len([step for step in steps if step not in ours])
    for once in ("triposr", "live-portrait", "sadtalker"):
        assert calls["fal", f"fal-ai/{once}"] == 1


def test_what_is_not_as_it_should_be_stops_the_story(stack: Stack) -> None:
    stack.sandbox.control("failures", provider="*", kind="refuse", operation="RUN *train*", times=1)
    stopped = demo_studio(stack)
    assert stopped.returncode == 1
    assert stopped.stdout == ""
    assert "The story stopped: the likeness model failed" in stopped.stderr
    stack.sandbox.http.delete(f"{stack.sandbox.url}/control/failures")

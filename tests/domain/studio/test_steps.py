"""Pipelines, the life of a step in any order of events, input hashes, charges and circuits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.studio.circuit import COOLING, FAILURES_TO_OPEN, PROBE_LIFE, WINDOW, Circuit
from domain.studio.inputs import final_steps
from domain.studio.outputs import OutputRefused, kind_of_output
from domain.studio.pipelines import (
    PIPELINES,
    WEIGHT,
    JobKind,
    Needs,
    StepType,
    overall_progress,
    pipeline_of,
)
from domain.studio.prices import NEWEST_TABLE, PricedStep, price_of
from domain.studio.step import (
    STEP_TRANSITIONS,
    Step,
    StepResult,
    StepStatus,
    charge_done,
    hash_of,
    lane_of,
    made_before,
    may_do_without,
    new_step,
    price_to_hold,
)
from tests.pictures import MESH

AT = datetime(2026, 3, 1, tzinfo=UTC)
RESULT = StepResult("work/1", "image/png", 3, "abc")


def steps_of(kind: JobKind, needs: Needs | None = None) -> list[Step]:
    return [
        new_step(
            one,
            step_id=UUID(int=position + 1),
            job_id=UUID(int=99),
            position=position,
            request=None if one.type is StepType.POST_PROCESSING else "some",
        )
        for position, one in enumerate(pipeline_of(kind, needs or Needs()))
    ]


@pytest.mark.parametrize(
    ("kind", "needs", "types"),
    [
        (JobKind.IMAGE, Needs(), "image_generation post_processing"),
        (JobKind.IMAGE, Needs(larger=True), "image_generation upscaling post_processing"),
        (JobKind.VIDEO, Needs(), "image_generation video_synthesis post_processing"),
        (JobKind.VIDEO, Needs(image_given=True), "video_synthesis post_processing"),
        (
            JobKind.VIDEO,
            Needs(motion_wanted=True),
            "image_generation motion_transfer post_processing",
        ),
        (
            JobKind.TALKING_AVATAR,
            Needs(),
            "image_generation speech_synthesis video_synthesis post_processing",
        ),
        (
            JobKind.TALKING_AVATAR,
            Needs(image_given=True, audio_given=True),
            "video_synthesis post_processing",
        ),
        (JobKind.MODEL_3D, Needs(), "image_generation model_3d post_processing"),
        (JobKind.SPEECH, Needs(), "speech_synthesis post_processing"),
        (JobKind.TRAINING, Needs(), "training storing"),
    ],
)
def test_each_kind_has_the_steps_that_it_needs(kind: JobKind, needs: Needs, types: str) -> None:
    assert " ".join(step.type for step in pipeline_of(kind, needs)) == types


@given(
    kind=st.sampled_from(JobKind),
    image=st.booleans(),
    audio=st.booleans(),
    motion=st.booleans(),
    count=st.integers(1, 4),
)
def test_stages_have_no_gaps_and_end_with_our_own_work(
    kind: JobKind, image: bool, audio: bool, motion: bool, count: int
) -> None:
    needs = Needs(image_given=image, audio_given=audio, motion_wanted=motion, count=count)
    steps = steps_of(kind, needs)
    stages = [step.stage for step in steps]
    assert stages == sorted(stages)
    assert set(stages) == set(range(max(stages) + 1))
    assert [step.is_local for step in steps].count(True) == 1
    assert steps[-1].is_local
    assert overall_progress(steps) == 0
    for step in steps:
        step.progress = 100
    assert overall_progress(steps) == 100
    assert set(PIPELINES) == set(JobKind)
    assert set(WEIGHT) == set(StepType)


def test_a_lane_works_from_its_own_image_and_from_the_one_voice() -> None:
    steps = steps_of(JobKind.TALKING_AVATAR, Needs(count=2))
    second = next(s for s in steps if s.type is StepType.VIDEO_SYNTHESIS and s.lane == 1)
    face = made_before(steps, second, StepType.IMAGE_GENERATION)
    voice = made_before(steps, second, StepType.SPEECH_SYNTHESIS)
    assert face is not None
    assert voice is not None
    assert (face.lane, voice.lane) == (1, 0)
    assert made_before(steps, second, StepType.MODEL_3D) is None


def test_the_same_facts_have_the_same_hash_in_any_order() -> None:
    assert hash_of({"a": 1, "b": UUID(int=2)}) == hash_of({"b": UUID(int=2), "a": 1})
    assert hash_of({"a": 1}) != hash_of({"a": 2})


class AnyOrder(RuleBasedStateMachine):
    """`kept` is what was made last, and from which input."""

    def __init__(self) -> None:
        super().__init__()
        self.step = steps_of(JobKind.IMAGE)[0]
        self.told = self.step.status
        self.kept: tuple[str, tuple[StepResult, ...]] | None = None

    @rule(text=st.sampled_from(["one", "other"]))
    def open(self, text: str) -> None:
        if self.step.status in (StepStatus.READY, StepStatus.RUNNING, StepStatus.INGESTING):
            return
        kept = self.kept is not None and self.kept[0] == text and self.step.is_done
        assert self.step.open(text, at=AT) is not kept
        if kept:
            assert self.kept is not None
            assert self.step.results == self.kept[1]
        self.told = self.step.status

    @rule()
    def take_turn(self) -> None:
        if self.step.status is StepStatus.READY:
            self.step.take_turn(at=AT)

    @rule(percent=st.integers(-5, 200))
    def report(self, percent: int) -> None:
        self.step.report(percent)

    @rule()
    def fall_back(self) -> None:
        if self.step.status in (StepStatus.RUNNING, StepStatus.INGESTING):
            self.step.ask_for_turn(AT + timedelta(seconds=1))

    @rule()
    def come_home(self) -> None:
        if self.step.is_under_way:
            self.step.begin_ingesting()

    @rule()
    def succeed(self) -> None:
        late = self.step.status in (StepStatus.FAILED, StepStatus.CANCELLED)
        if self.step.status is StepStatus.INGESTING or (late and self.step.input_hash):
            self.step.succeed([RESULT], at=AT)
            assert self.step.input_hash is not None
            self.kept = (self.step.input_hash, self.step.results)

    @rule()
    def fail(self) -> None:
        if self.step.is_under_way:
            self.step.fail("code", at=AT)

    @rule()
    def give_up(self) -> None:
        done = self.step.is_done
        self.step.give_up(at=AT)
        assert self.step.is_done is done

    @invariant()
    def it_moves_by_the_table_alone(self) -> None:
        if self.step.status is not self.told:
            assert self.step.status in STEP_TRANSITIONS[self.told]
        self.told = self.step.status

    @invariant()
    def it_asks_for_a_turn_exactly_when_it_is_ready(self) -> None:
        assert (self.step.ready_at is not None) == (self.step.status is StepStatus.READY)
        assert 0 <= self.step.progress <= 100


TestAnyOrder = AnyOrder.TestCase


@given(
    credits=st.lists(st.integers(0, 50), min_size=2, max_size=4),
    rounds=st.lists(st.sets(st.integers(0, 3)), max_size=4),
)
def test_no_step_is_charged_twice_whatever_is_retried(
    credits: list[int], rounds: list[set[int]]
) -> None:
    steps = steps_of(JobKind.TALKING_AVATAR)[: len(credits)]
    for step, price in zip(steps, credits, strict=True):
        step.credits = price
        step.input_hash = "some"
    charged = 0
    for done in rounds:
        held = price_to_hold(steps)
        for number, step in enumerate(steps):
            if number in done and not step.is_done:
                step.status = StepStatus.SUCCEEDED
        due = charge_done(steps, table_version=NEWEST_TABLE)
        assert due <= held
        charged += due
    assert charged == sum(step.credits for step in steps if step.is_done)


@given(
    held=st.integers(0, 10_000),
    seconds=st.lists(st.integers(0, 4_000_000), min_size=1, max_size=3),
    kind=st.sampled_from(
        [StepType.VIDEO_SYNTHESIS, StepType.MOTION_TRANSFER, StepType.IMAGE_GENERATION]
    ),
)
def test_what_is_settled_is_never_more_than_what_was_held(
    held: int, seconds: list[int], kind: StepType
) -> None:
    """And by the seconds that were begun, where a step is paid by the second."""
    needs = Needs(motion_wanted=kind is StepType.MOTION_TRANSFER)
    step = next(one for one in steps_of(JobKind.VIDEO, needs) if one.type is kind)
    step.credits, step.input_hash, step.status = held, "some", StepStatus.SUCCEEDED
    step.results = tuple(replace(RESULT, duration_ms=ms) for ms in seconds)

    assert price_to_hold([step]) == held
    due = charge_done([step], table_version=NEWEST_TABLE)

    begun = max(1, -(-sum(seconds) // 1000))
    actual = price_of([PricedStep(kind, begun)]).credits
    assert due == step.credits <= held
    assert due == (held if kind is StepType.IMAGE_GENERATION else min(held, actual))
    assert charge_done([step], table_version=NEWEST_TABLE) == 0


@given(count=st.integers(1, 4), lost=st.sets(st.integers(0, 3)), at_image=st.booleans())
def test_pieces_are_lost_one_by_one_and_only_delivered_ones_are_charged(
    count: int, lost: set[int], at_image: bool
) -> None:
    lost = {lane for lane in lost if lane < count}
    steps = steps_of(JobKind.VIDEO, Needs(count=count))
    kind = StepType.IMAGE_GENERATION if at_image else StepType.VIDEO_SYNTHESIS
    gone: set[int] = set()
    for step in steps:
        step.credits, step.input_hash = 1, "some"
        if step.type is kind and step.lane in lost:
            gone.add(step.lane)
            assert may_do_without(step, steps) == (len(gone) < count)
            step.status = StepStatus.FAILED
            for one in lane_of(step, steps):
                one.give_up(at=AT)
        elif not step.is_lost:
            step.status = StepStatus.SUCCEEDED
    lanes = {step.lane for step in final_steps(steps) if step.is_good}
    assert lanes == set(range(count)) - lost
    whole = price_to_hold(steps)
    due = charge_done(steps, lanes=lanes, table_version=NEWEST_TABLE)
    assert due == 2 * len(lanes) + 1
    assert price_to_hold(steps) == whole - due


def test_what_is_made_anew_is_held_for_anew() -> None:
    step = steps_of(JobKind.IMAGE)[0]
    step.credits, step.input_hash, step.status = 2, "some", StepStatus.SUCCEEDED
    assert charge_done([step], table_version=NEWEST_TABLE) == 2
    assert price_to_hold([step]) == 0
    step.discard("output_refused")
    assert price_to_hold([step]) == 2


def test_a_circuit_opens_after_failures_in_a_row_and_one_probe_closes_it() -> None:
    circuit = Circuit(id=UUID(int=1), provider="fal", model="one")
    for _ in range(FAILURES_TO_OPEN - 1):
        circuit.fail(at=AT)
    circuit.succeed()
    for _ in range(FAILURES_TO_OPEN):
        assert circuit.allows(at=AT)
        circuit.fail(at=AT)
    assert not circuit.allows(at=AT)
    later = AT + COOLING
    assert circuit.allows(at=later)
    circuit.plan(at=later)
    assert not circuit.allows(at=later)
    circuit.fail(at=later)
    assert not circuit.allows(at=later)
    circuit.plan(at=later + COOLING)
    assert circuit.allows(at=later + COOLING + PROBE_LIFE)
    circuit.succeed()
    assert circuit.is_clean


def test_failures_that_lie_apart_do_not_open_a_circuit() -> None:
    circuit = Circuit(id=UUID(int=1), provider="fal", model="one")
    for number in range(20):
        circuit.fail(at=AT + number * (WINDOW + timedelta(seconds=1)))
    assert circuit.allows(at=AT)


@pytest.mark.parametrize(
    ("step", "content"),
    [
        (StepType.VIDEO_SYNTHESIS, b"<html>oops</html>"),
        (StepType.SPEECH_SYNTHESIS, b""),
        (StepType.MODEL_3D, MESH[:-1]),
        (StepType.MODEL_3D, b"glTF"),
        (StepType.TRAINING, b""),
    ],
)
def test_what_is_not_what_was_asked_for_is_refused(step: StepType, content: bytes) -> None:
    with pytest.raises(OutputRefused):
        kind_of_output(step, content)


def test_a_whole_mesh_is_one() -> None:
    assert kind_of_output(StepType.MODEL_3D, MESH) == ("model/gltf-binary", "glb")

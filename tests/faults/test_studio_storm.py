"""A small storm over the studio; `make faults` has the large one."""

from tests.faults.studio_storm import MISFORTUNES, Work
from tests.faults.weather import Strength, Weather
from tests.journeys.stack import Stack

JOBS = 8
BRIEF = Strength(kills=2, least_kills=1, crashes=1, pause_s=(0.1, 0.5))


def test_the_books_agree_after_a_small_storm(stack: Stack) -> None:
    told: list[str] = []
    work = Work(stack, JOBS, seed=5, say=told.append)
    work.open()
    weather = Weather(stack, seed=5, misfortunes=MISFORTUNES, strength=BRIEF)
    with weather.raging():
        work.live()
    work.settle_down()
    counts = work.compare()
    assert work.faults == [], (weather.did, told)
    assert weather.spared == []
    assert counts["jobs"] > JOBS

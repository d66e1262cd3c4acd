"""As `test_studio_crashes`, for the kinds that take longest; a part of `make faults`."""

import pytest

from tests.faults.studio_life import Life
from tests.faults.test_studio_crashes import (  # noqa: F401 - fixtures
    die_everywhere,
    life,
    place,
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["training", "video", "talking_avatar", "model_3d"])
async def test_dying_at_any_crossing_costs_nobody_anything(
    life: Life,  # noqa: F811
    kind: str,
) -> None:
    await die_everywhere(life, kind)

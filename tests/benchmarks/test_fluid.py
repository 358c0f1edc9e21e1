"""How fast the fluid engine is: scenario seconds in a second of one core's time."""

import sys
import time

import pytest

pytest.importorskip("numba")

from mockbot.simulate.fluid.run import Fluid
from tests.simulate.test_fluid import BACKOFF, _crowd

pytestmark = pytest.mark.benchmark


def test_speed_does_not_depend_on_the_crowd(capsys: pytest.CaptureFixture[str]) -> None:
    """A crowd a thousand times as large takes about as long (target 24: 5,000 x real time)."""
    Fluid(_crowd(700, BACKOFF, {"http_error": 503})).to_end()
    speeds = []
    for users in (700, 700_000):
        run = Fluid(_crowd(users, BACKOFF, {"http_error": 503}))
        before = time.process_time()
        run.to_end()
        speeds.append(run.latest / (time.process_time() - before))
    with capsys.disabled():
        sys.stdout.write(f"\nfluid: {speeds[0]:,.0f} and {speeds[1]:,.0f} times real time\n")

    assert 0.25 < speeds[0] / speeds[1] < 4

"""The shape of the load is the timeline: Locust asks once, and the answer is the whole run.

Locust calls `tick` once a second and sleeps in between, which at speed 20 would be up to 20 scenario seconds late,
and on a master it skips what falls into a ramp (locustio/locust #2242). So `tick` itself follows the timeline and
returns only when the run is over.
"""

from collections.abc import Callable

from locust import LoadTestShape

SPAWN_RATE = 100  # never used: ExactDispatcher makes every change at once; Locust warns above 100


class ScenarioShape(LoadTestShape):
    """`conduct` plays the whole run. Abstract, or importing it would disable `-u -r -t` (locustio/locust #1829)."""

    abstract = True

    def __init__(self, conduct: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._conduct = conduct

    def tick(self) -> None:
        """Returns None, which ends the test, when the run is over."""
        self._conduct()

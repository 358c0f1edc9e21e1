"""The load follows the timeline: Locust's first call of `tick` plays the whole run and returns at its end.

Locust calls `tick` once a second, which at speed 20 would be up to 20 scenario seconds late, and a master skips the
calls that fall into a ramp (locustio/locust #2242).
"""

from collections.abc import Callable

from locust import LoadTestShape

SPAWN_RATE = 100  # never used: ExactDispatcher makes every change at once; Locust warns above 100


class ScenarioShape(LoadTestShape):
    """`play` plays the whole run. Abstract, or importing it would disable `-u -r -t` (locustio/locust #1829)."""

    abstract = True

    def __init__(self, play: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._play = play

    def tick(self) -> None:
        """Returns None, which ends the test, when the run is over."""
        self._play()

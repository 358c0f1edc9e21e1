"""A policy of the user's own, found by its entry point: its values in a scenario in, the reactions of its users out.

It is a class (or function) that is called with the scenario's `options`, once per user, and returns a callable:

    class Stubborn:
        def __init__(self, pause: float = 3.0) -> None:
            self.pause = pause

        def __call__(self, failures: int, result: AttemptResult, rng: Random) -> float | None:
            if failures >= 5 or result.status == 400:
                return None                                    give up
            return self.pause * rng.uniform(0.5, 1.5)          seconds to wait before the next attempt

    [project.entry-points."mockbot.policies"]
    stubborn = "ourbots.policies:Stubborn"

    policy: {name: stubborn, options: {pause: 5}, timeout: 20s, breaker: consecutive}

`failures` counts those of this prompt, from 1. Patience, timeouts, budgets and breakers apply as to any policy.
"""

import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from random import Random

from mockbot.clients.policy import AttemptResult
from mockbot.clients.reactions import SOFTWARE, Reaction, Stop
from mockbot.errors import UsageError
from mockbot.scenario.policies import ENTRY_POINT_GROUP, CustomPolicy

Rule = Callable[[int, AttemptResult, Random], float | None]


class CustomReaction:
    """Calls a Rule with the number of failures so far."""

    def __init__(self, rule: Rule, timeout: float) -> None:
        self._rule = rule
        self._timeout = timeout
        self._failures = 0

    def begin(self, now: float) -> None:  # noqa: ARG002 - as Reaction
        """No failure yet."""
        self._failures = 0

    def timeout(self, rng: Random) -> float:  # noqa: ARG002 - as Reaction
        """The same for every attempt."""
        return self._timeout

    def wait(self, now: float, result: AttemptResult, rng: Random) -> float | Stop:  # noqa: ARG002 - as Reaction
        """The wait that the rule returns."""
        self._failures += 1
        wait = self._rule(self._failures, result, rng)
        return Stop() if wait is None else max(SOFTWARE, wait)


def custom_reactions(policy: CustomPolicy) -> Callable[[], Reaction]:
    """Makes the reaction of each user. Raises UsageError when what is installed cannot be used."""
    found = entry_points(group=ENTRY_POINT_GROUP, name=policy.name)
    if not found:
        message = f"no entry point of that name in the group {ENTRY_POINT_GROUP!r}"
        raise UsageError(f"policy {policy.name!r} is not installed: {message}; pip install what brings it")
    entry = next(iter(found))
    try:
        make = entry.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"policy {policy.name!r} ({entry.value}) cannot be loaded: {error}; correct its entry point"
        ) from error
    if not callable(make):
        raise UsageError(f"policy {policy.name!r} ({entry.value}) is not a class or function; correct its entry point")
    try:
        inspect.signature(make).bind(**policy.options)
    except TypeError as error:
        raise UsageError(
            f"policy {policy.name!r} does not take these options: {error}; give it those of its own"
        ) from error
    return lambda: CustomReaction(make(**policy.options), policy.timeout)

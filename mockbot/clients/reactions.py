"""How a client or a person reacts to each failure of a prompt: seconds to wait, or Stop. Pure.

Every reaction takes time (a cheap refusal and no wait would be an endless burst): software takes at least a
millisecond, a person at least a second.

    Loops     one retry loop, or several nested ones            app  [ retry x 3 [ SDK x 3 [ attempt ] ] ]   9 attempts
    Reloads   a person who reloads
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Protocol

from mockbot.clients.failures import NEVER, SDK, Obeys, Retried
from mockbot.clients.policy import AttemptResult
from mockbot.clients.waits import Wait

SOFTWARE = 0.001
PERSON = (1.0, 1.5)  # seconds from seeing an error to pressing the button, uniform


@dataclass(frozen=True, slots=True)
class Stop:
    """No further attempt; the error shows after `lag` seconds."""

    lag: float = 0.0


class Reaction(Protocol):
    """One prompt after the other: `begin`, then `wait` after each failed attempt."""

    def begin(self, now: float) -> None:
        """A new prompt: forget the old one."""

    def timeout(self, rng: Random) -> float:
        """How long the next attempt may take."""

    def wait(self, now: float, result: AttemptResult, rng: Random) -> float | Stop:
        """Seconds from now to the next attempt."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One retry loop. Its body, the loop inside it or the attempt itself, runs at most `attempts` times.

    `later`: the same limit for every call after the first one of a prompt (litellm's second layer switches the retries
    of the first one off). `stop_after`: seconds since the prompt began after which it stops. `sleeps_last`: it waits
    once more before it gives up (litellm's Router). `limited`: the wait after a 429, where it is another one (boto3).
    """

    attempts: int
    wait: Wait
    retried: Retried = SDK
    obeys: Obeys = NEVER
    later: int | None = None
    stop_after: float = math.inf
    sleeps_last: bool = False
    limited: Wait | None = None


class Loops:
    """Nested retry loops, innermost first: a failure goes outwards until a loop tries again."""

    def __init__(self, loops: tuple[Loop, ...], timeout: float) -> None:
        self.loops = loops
        self._timeout = timeout
        self.begin(0.0)

    def begin(self, now: float) -> None:
        """No loop has run yet."""
        self._began = now
        self._most = [loop.attempts for loop in self.loops]
        self._runs = [0] * len(self.loops)
        self._waited = [0.0] * len(self.loops)

    def timeout(self, rng: Random) -> float:  # noqa: ARG002 - as Reaction.timeout
        """The same for every attempt."""
        return self._timeout

    def wait(self, now: float, result: AttemptResult, rng: Random) -> float | Stop:
        """The wait of the innermost loop that tries again."""
        lag = 0.0
        for index, loop in enumerate(self.loops):
            self._runs[index] += 1
            if not loop.retried.has(result):
                continue
            formula = loop.limited if loop.limited is not None and result.status == 429 else loop.wait
            own = self._waited[index] = formula.draw(self._runs[index] - 1, self._waited[index], rng)
            after = result.retry_after
            wait = own if after is None else loop.obeys.wait(after, result, own, rng)
            if wait is None:
                continue
            if self._runs[index] < self._most[index] and now - self._began < loop.stop_after:
                for inner, within in enumerate(self.loops[:index]):  # start again
                    self._most[inner] = within.attempts if within.later is None else within.later
                    self._runs[inner], self._waited[inner] = 0, 0.0
                return max(SOFTWARE, lag + wait)
            lag += wait if loop.sleeps_last else 0.0
        return Stop(lag)


class Reloads:
    """A person: reloads about every `every` seconds, whether the page still waits or shows an error; 0: on every error.

    Each interval is `every` +- 10 %: people who reload in step would make waves that no real outage has.
    """

    def __init__(self, every: float, timeout: float) -> None:
        self._every = every
        self._timeout = timeout

    def begin(self, now: float) -> None:
        """Nothing to forget."""

    def timeout(self, rng: Random) -> float:
        """A page that still waits when the interval is over is abandoned."""
        return min(self._timeout, self._interval(rng)) if self._every else self._timeout

    def wait(self, now: float, result: AttemptResult, rng: Random) -> float:
        """To the end of the interval, at least the time to react; SOFTWARE when the reload itself ended the attempt."""
        reaction = rng.uniform(*PERSON)
        if not self._every:
            return reaction
        if result.outcome in {"timeout", "slow"} and now - result.started < self._timeout:
            return SOFTWARE
        return max(result.started + self._interval(rng) - now, reaction)

    def _interval(self, rng: Random) -> float:
        return max(PERSON[0], self._every * rng.uniform(0.9, 1.1))

"""How long a client waits before it tries again: formulas as frozen values, randomness as an argument. Pure.

`n` is 0 after the first failure; `previous` is the wait before it (0 at first). Waits are scenario seconds.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Wait(Protocol):
    """A formula for the wait after failure number n."""

    def draw(self, n: int, previous: float, rng: Random) -> float:
        """Seconds, >= 0."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """U(low, 1) x v + U(0, plus) where v = min(cap, base * 2^n); never below `floor` and never above max(floor, cap).

    low 1 is plain exponential, 0 full jitter, 0.5 equal jitter (AWS Architecture Blog, "Exponential Backoff and
    Jitter", and aws-samples/aws-arch-backoff-simulator), 0.75 the OpenAI and Anthropic SDKs. base = cap: a fixed wait.
    """

    base: float
    cap: float = math.inf
    low: float = 1.0
    plus: float = 0.0
    floor: float = 0.0

    def draw(self, n: int, previous: float, rng: Random) -> float:  # noqa: ARG002 - as Wait.draw
        """The wait after failure number n."""
        most = max(self.floor, min(self.cap, self.base * 2.0 ** min(n, 64)))
        least = max(self.floor, self.low * most)
        wait = most if least == most else rng.uniform(least, most)
        return wait + rng.uniform(0, self.plus) if self.plus else wait


@dataclass(frozen=True, slots=True)
class Decorrelated:
    """min(cap, U(base, 3 x previous)), the previous wait being `base` at first: AWS's decorrelated jitter."""

    base: float
    cap: float

    def draw(self, n: int, previous: float, rng: Random) -> float:  # noqa: ARG002 - as Wait.draw
        """The wait after one of `previous` seconds."""
        return min(self.cap, rng.uniform(self.base, 3 * max(self.base, previous)))


AT_ONCE = Exponential(0.0, 0.0)

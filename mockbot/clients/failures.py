"""What a client makes of a failed attempt: does it try again, and does it do as Retry-After says? Pure."""

import math
from dataclasses import dataclass
from random import Random
from typing import Literal, assert_never

from mockbot.clients.policy import AttemptResult
from mockbot.evidence.records import OUTCOMES, Outcome

EVERY_OUTCOME: frozenset[Outcome] = frozenset(OUTCOMES) - {"ok", "unfinished"}


@dataclass(frozen=True, slots=True)
class Retried:
    """The failures that are tried again.

    The defaults are those of the official SDKs: no answer at all, `statuses` and every 5xx, and nothing once the first
    byte of a 200 has arrived (research: measured for six libraries). `late` names what is tried again even then.
    """

    statuses: frozenset[int] = frozenset({408, 409, 429})
    server_errors: bool = True
    late: frozenset[Outcome] = frozenset()
    heeds_header: bool = False  # x-should-retry: true or false decides

    def has(self, seen: AttemptResult) -> bool:
        """Is this failure tried again?"""
        match seen.outcome:
            case "http_error" | "rate_limited":
                return self._has_status(seen)
            case "refused" | "reset" | "timeout":
                return seen.outcome in self.late or not _begun(seen)
            case "slow" | "truncated" | "error_event" | "malformed" | "blank":
                return seen.outcome in self.late
            case "ok" | "unfinished":
                return False
        assert_never(seen.outcome)

    def _has_status(self, seen: AttemptResult) -> bool:
        if self.heeds_header and seen.should_retry is not None:
            return seen.should_retry
        status = seen.status or 0
        return status in self.statuses or (self.server_errors and status >= 500)


def _begun(seen: AttemptResult) -> bool:
    """Had a good answer begun to arrive?"""
    return seen.streamed or 0 < (seen.status or 0) < 400


SDK = Retried()
ANYTHING = Retried(frozenset(range(400, 500)), late=EVERY_OUTCOME)
SENSIBLE = Retried(frozenset({408, 409, 425, 429}), late=EVERY_OUTCOME)  # not what would fail again: 400, 401, 404, ...


@dataclass(frozen=True, slots=True)
class Exactly:
    """Waits exactly as told, without jitter, as SDKs do; `plus` is litellm's U(0, plus) on top.

    A longer time than `at_most` is not honoured: the client takes its `own` wait, or does not try again (`stop`), or
    waits `capped`. 0 is "at once" for some (`zero`), and as good as not told for others.
    """

    at_most: float = math.inf
    beyond: Literal["own", "stop", "capped"] = "own"
    zero: bool = False
    plus: float = 0.0
    statuses: frozenset[int] | None = None  # on these only

    def wait(self, told: float, seen: AttemptResult, own: float, rng: Random) -> float | None:
        """Seconds to wait instead of `own`; None: do not try again."""
        if self.statuses is not None and seen.status not in self.statuses:
            return own
        if told < 0 or (told == 0 and not self.zero):
            return own
        if told > self.at_most:
            return {"own": own, "stop": None, "capped": self.at_most}[self.beyond]
        return told + rng.uniform(0, self.plus) if self.plus else told


@dataclass(frozen=True, slots=True)
class AtLeast:
    """As told, then the client's own wait, and U(0, min(told, spread)) more, so that not all come back together."""

    spread: float

    def wait(self, told: float, seen: AttemptResult, own: float, rng: Random) -> float | None:  # noqa: ARG002 - as Exactly.wait
        """Seconds to wait instead of `own`."""
        return own + max(0.0, told) + rng.uniform(0, max(0.0, min(told, self.spread)))


@dataclass(frozen=True, slots=True)
class Never:
    """Does not read Retry-After."""

    def wait(self, told: float, seen: AttemptResult, own: float, rng: Random) -> float | None:  # noqa: ARG002 - as Exactly.wait
        """`own`, whatever was told."""
        return own


Obeys = Exactly | AtLeast | Never
NEVER = Never()


def blames_provider(seen: AttemptResult) -> bool:
    """Is it the provider's doing, for a breaker or a budget to learn from? 429 is, a wrong request is not."""
    wrong_request = seen.outcome == "http_error" and seen.status is not None and seen.status < 500
    return seen.outcome != "ok" and not (wrong_request and seen.status != 408)

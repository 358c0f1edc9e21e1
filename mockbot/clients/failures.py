"""How a client classifies a failed attempt: is it retried, how is Retry-After used, is the provider to blame? Pure."""

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
    byte of a 200 has arrived (measured for six libraries). `late`: the outcomes that are tried again even then.
    """

    statuses: frozenset[int] = frozenset({408, 409, 429})
    server_errors: bool = True
    late: frozenset[Outcome] = frozenset()
    heeds_header: bool = False  # x-should-retry: true or false decides
    # Before any answer. An SDK cannot tell a failed handshake from a refused connection: APIConnectionError, retried.
    unanswered: frozenset[Outcome] = frozenset({"refused", "tls_error", "reset", "closed", "timeout"})

    def has(self, result: AttemptResult) -> bool:
        """Is this failure tried again?"""
        status = result.status or 0
        match result.outcome:
            case "http_error" | "rate_limited":
                if self.heeds_header and result.should_retry is not None:
                    return result.should_retry
                return status in self.statuses or (self.server_errors and status >= 500)
            case "refused" | "tls_error" | "reset" | "closed" | "timeout":
                began = result.streamed or 0 < status < 400  # a good answer had begun to arrive
                return result.outcome in (self.late if began else self.unanswered)
            case "slow" | "truncated" | "error_event" | "malformed" | "blank":
                return result.outcome in self.late
            case "ok" | "unfinished":
                return False
        assert_never(result.outcome)


SDK = Retried()
ANYTHING = Retried(frozenset(range(400, 500)), late=EVERY_OUTCOME)
SENSIBLE = Retried(frozenset({408, 409, 425, 429}), late=EVERY_OUTCOME)  # not what would fail again: 400, 401, 404, ...


@dataclass(frozen=True, slots=True)
class Exactly:
    """Waits exactly Retry-After, without jitter, as SDKs do; `plus` is litellm's U(0, plus) on top.

    A longer time than `at_most` is not honoured: the client takes its `own` wait, or does not try again (`stop`), or
    waits `at_most` (`capped`). 0 is "at once" for some clients (`zero`); the others ignore it.
    """

    at_most: float = math.inf
    beyond: Literal["own", "stop", "capped"] = "own"
    zero: bool = False
    plus: float = 0.0
    statuses: frozenset[int] | None = None  # on these only

    def wait(self, retry_after: float, result: AttemptResult, own: float, rng: Random) -> float | None:
        """Seconds to wait instead of `own`; None: do not try again."""
        if self.statuses is not None and result.status not in self.statuses:
            return own
        if retry_after < 0 or (retry_after == 0 and not self.zero):
            return own
        if retry_after > self.at_most:
            return {"own": own, "stop": None, "capped": self.at_most}[self.beyond]
        return retry_after + rng.uniform(0, self.plus) if self.plus else retry_after


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Retry-After, then the client's own wait, then U(0, min(Retry-After, spread)), which keeps clients apart."""

    spread: float

    def wait(self, retry_after: float, result: AttemptResult, own: float, rng: Random) -> float | None:  # noqa: ARG002 - as Exactly.wait
        """Seconds to wait instead of `own`."""
        return own + max(0.0, retry_after) + rng.uniform(0, max(0.0, min(retry_after, self.spread)))


@dataclass(frozen=True, slots=True)
class Never:
    """Does not read Retry-After."""

    def wait(self, retry_after: float, result: AttemptResult, own: float, rng: Random) -> float | None:  # noqa: ARG002 - as Exactly.wait
        """Always `own`."""
        return own


Obeys = Exactly | AtLeast | Never
NEVER = Never()


def blames_provider(result: AttemptResult) -> bool:
    """Whether a breaker or a budget counts it against the provider: a 429 is counted, a wrong request is not."""
    wrong_request = result.outcome == "http_error" and result.status is not None and result.status < 500
    return result.outcome != "ok" and not (wrong_request and result.status != 408)

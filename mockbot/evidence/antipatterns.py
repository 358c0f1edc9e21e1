"""Attempts in, anti-patterns with their evidence out: what a client must not do to a provider in trouble. Pure.

Waits are measured by the client's own clock, in wall seconds: an SDK does not know about `speed`. A check needs only
the attempts, and few of them, so it works for the user's own program as well. Whatever the attempts do not show is not
reported: whether a program showed its user an error, for instance.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockbot.evidence.records import Attempt
from mockbot.units.formatting import format_seconds

AT_ONCE = 0.1  # wall seconds
MOST_ATTEMPTS = 10  # for one prompt
SAME = 0.2  # waits that differ by less than this share of their mean count as a fixed wait
HANGS = 60.0  # wall seconds without a token
TOLERANCE = 0.9  # of a Retry-After: clients round it, and their clock may differ
# What SDKs retry besides every 5xx (openai-python 3.54, anthropic-python 2.12: research, incidents §5.1).
RETRYABLE = frozenset({408, 409, 429})
BROKEN = frozenset({"truncated", "malformed", "blank", "error_event"})
SHOWN = 3  # occurrences described

Attempts = Sequence[Attempt]  # of one prompt, in order


@dataclass(frozen=True, slots=True)
class Antipattern:
    """One anti-pattern: how often it occurred, the first occurrences in words, and what to do instead."""

    name: str
    times: int
    evidence: tuple[str, ...]
    advice: str

    def __str__(self) -> str:
        return f"{self.name}: {self.times} times; {'; '.join(self.evidence)}. {self.advice}"


def antipatterns(attempts: Iterable[Attempt], speed: float) -> tuple[Antipattern, ...]:
    """All of `ANTIPATTERNS`, in that order; `times` is 0 for those that did not occur."""
    by_prompt: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_prompt[attempt.prompt].append(attempt)
    prompts = [sorted(each, key=lambda attempt: attempt.n) for each in by_prompt.values()]
    found = {name: [check(prompt, speed) for prompt in prompts] for name, check in ATTEMPT_CHECKS.items()}
    # Never retrying shows only in the whole run: one retry, or fewer than SHOWN failures, and it is not reported.
    given_up = [never_retried(prompt) for prompt in prompts]
    retried = any(len(prompt) > 1 for prompt in prompts)
    found["never_retries"] = [] if retried or len(given_up) - given_up.count(None) < SHOWN else given_up
    result = []
    for name, texts in found.items():
        evidence = tuple(text for text in texts if text is not None)
        result.append(Antipattern(name, len(evidence), evidence[:SHOWN], ANTIPATTERNS[name]))
    return tuple(result)


def ignores_retry_after(attempts: Attempts, speed: float) -> str | None:
    """A retry at the same provider before its Retry-After was over; a hedge, sent before the answer, is none."""
    for before, after in pairwise(attempts):
        asked, waited = before.retry_after, after.start - before.end
        if asked is not None and after.provider == before.provider and 0 <= waited < TOLERANCE * asked:
            return f"{_name(before)}: told to wait {asked / speed:.3g} s, came back after {waited / speed:.3g} s"
    return None


def retries_what_cannot_succeed(attempts: Attempts, _: float) -> str | None:
    """A retry after a status that says that the request itself is wrong."""
    for before, after in pairwise(attempts):
        wrong = before.status is not None and 400 <= before.status < 500 and before.status not in RETRYABLE
        if wrong and after.provider == before.provider:
            return f"{_name(before)}: {before.status} was answered, and the same was asked again"
    return None


def retries_without_end(attempts: Attempts, speed: float) -> str | None:
    """More than MOST_ATTEMPTS attempts."""
    if len(attempts) <= MOST_ATTEMPTS:
        return None
    took = (attempts[-1].end - attempts[0].start) / speed
    return f"{_name(attempts[0])}: {len(attempts)} attempts in {took:.3g} s"


def does_not_back_off(attempts: Attempts, speed: float) -> str | None:
    """Four equal waits or more, or two or more waits of nothing that are at least half of all."""
    waits = [
        (after.start - before.end) / speed
        for before, after in pairwise(attempts)
        if after.provider == before.provider
        and before.retry_after is None
        and before.outcome != "refused"
        and after.start >= before.end  # a hedge is no retry
    ]
    mean = sum(waits) / len(waits) if waits else 0.0
    fixed = len(waits) >= 4 and max(waits) - min(waits) < SAME * mean
    at_once = sum(wait < AT_ONCE for wait in waits)
    if not fixed and at_once < max(2, len(waits) / 2):  # full jitter waits for next to nothing now and then
        return None
    return f"{_name(attempts[0])}: waited {', '.join(format_seconds(wait, 2) for wait in waits[:5])} between attempts"


def takes_broken_answers(attempts: Attempts, _: float) -> str | None:
    """The last answer is broken, and there was no other attempt."""
    last = attempts[-1]
    if last.outcome not in BROKEN:
        return None
    return f"{_name(last)}: the answer was {last.outcome.replace('_', ' ')}, and nothing was asked again"


def hangs(attempts: Attempts, speed: float) -> str | None:
    """An attempt that waited for its first token for more than HANGS."""
    for attempt in attempts:
        silent = (attempt.end - attempt.start) / speed
        if attempt.first_token is None and attempt.outcome in {"timeout", "unfinished"} and silent > HANGS:
            return f"{_name(attempt)}: waited for {format_seconds(silent)} without a token"
    return None


def never_retried(attempts: Attempts) -> str | None:
    """The first attempt failed in a way that a retry may cure."""
    first = attempts[0]
    curable = first.outcome in {"refused", "reset", "timeout"}
    if first.status is not None and first.outcome in {"http_error", "rate_limited"}:
        curable = first.status >= 500 or first.status in RETRYABLE
    return f"{_name(first)}: {first.status or first.outcome}, and given up" if curable else None


def _name(attempt: Attempt) -> str:
    return f"{attempt.prompt} at {format_seconds(attempt.start, 1)}"


# name -> a check of one prompt's attempts, with the client's speed: a description of the occurrence, or None
ATTEMPT_CHECKS: Mapping[str, Callable[[Attempts, float], str | None]] = {
    "ignores_retry_after": ignores_retry_after,
    "retries_what_cannot_succeed": retries_what_cannot_succeed,
    "retries_without_end": retries_without_end,
    "does_not_back_off": does_not_back_off,
    "takes_broken_answers": takes_broken_answers,
    "hangs": hangs,
}
ANTIPATTERNS: Mapping[str, str] = {  # name -> what to do instead
    "ignores_retry_after": "A server that says when to come back knows; wait at least as long",
    "retries_what_cannot_succeed": "The request itself is wrong, so a retry cannot succeed; show the error instead",
    "retries_without_end": "Limit the attempts and the time for one prompt",
    "does_not_back_off": "Wait longer after every failure, with jitter",
    "takes_broken_answers": "Check that an answer is complete (finish_reason) before using it; a program that "
    "does, and tells its user, may be allowed this anti-pattern",
    "hangs": "Set a read timeout; the SDKs' default is ten minutes",
    "never_retries": "A short failure need not reach the user; retry once or twice, or fall over",
}

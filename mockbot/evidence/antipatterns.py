"""How a client behaved towards a provider in trouble: its attempts in, bad habits with their evidence out. Pure.

A habit is judged by the client's own clock, in wall seconds: an SDK does not know about `speed`. Each needs no more
than the attempts themselves, so it can be told of a client that is not ours, and of few requests. What cannot be seen
from outside is not claimed: whether a program showed its user an error, for instance.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockbot.evidence.records import Attempt
from mockbot.units.formatting import format_seconds

AT_ONCE = 0.1  # wall seconds
MOST_ATTEMPTS = 10  # for one prompt
SAME = 0.2  # waits that differ by less than this share of their mean are a fixed wait
HANGS = 60.0  # wall seconds without a word
TOLERANCE = 0.9  # of a Retry-After
RETRYABLE = frozenset(
    {408, 409, 429}
)  # and every 5xx (openai-python 3.54, anthropic-python 2.12: research, incidents §5.1)
BROKEN = frozenset({"truncated", "malformed", "blank", "error_event"})
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Antipattern:
    """Something that a client did `times` times, with the first of them in words, and what to do instead."""

    name: str
    times: int
    evidence: tuple[str, ...]
    advice: str

    def __str__(self) -> str:
        return f"{self.name}: {self.times} times; {'; '.join(self.evidence)}. {self.advice}"


Asked = Sequence[Attempt]  # the attempts for one prompt, in order
_Look = Callable[[Asked, float], str | None]


def antipatterns(attempts: Iterable[Attempt], speed: float) -> tuple[Antipattern, ...]:
    """Every habit of `ANTIPATTERNS`, in that order; `times` is 0 for those that were not seen."""
    asked: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        asked[attempt.prompt].append(attempt)
    prompts = [sorted(each, key=lambda attempt: attempt.n) for each in asked.values()]
    found = [_habit(name, [look(prompt, speed) for prompt in prompts]) for name, look in ATTEMPT_CHECKS.items()]
    return (*found, _gives_up(prompts))


def _habit(name: str, seen: Iterable[str | None]) -> Antipattern:
    evidence = tuple(text for text in seen if text is not None)
    return Antipattern(name, len(evidence), evidence[:SHOWN], ANTIPATTERNS[name])


def _ignores_retry_after(asked: Asked, speed: float) -> str | None:
    for before, after in pairwise(asked):
        told, waited = before.retry_after, after.start - before.end
        if told is not None and after.provider == before.provider and 0 <= waited < TOLERANCE * told:
            return f"{_name(before)}: told to wait {told / speed:.3g} s, came back after {waited / speed:.3g} s"
    return None


def _retries_what_cannot_succeed(asked: Asked, _: float) -> str | None:
    for before, after in pairwise(asked):
        hopeless = before.status is not None and 400 <= before.status < 500 and before.status not in RETRYABLE
        if hopeless and after.provider == before.provider:
            return f"{_name(before)}: {before.status} was answered, and the same was asked again"
    return None


def _retries_without_end(asked: Asked, speed: float) -> str | None:
    if len(asked) <= MOST_ATTEMPTS:
        return None
    return f"{_name(asked[0])}: {len(asked)} attempts in {(asked[-1].end - asked[0].start) / speed:.3g} s"


def _does_not_back_off(asked: Asked, speed: float) -> str | None:
    waits = [
        (after.start - before.end) / speed
        for before, after in pairwise(asked)
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
    return f"{_name(asked[0])}: waited {', '.join(f'{format_seconds(wait, 2)}' for wait in waits[:5])} between attempts"


def _takes_broken_answers(asked: Asked, _: float) -> str | None:
    last = asked[-1]
    if last.outcome not in BROKEN:
        return None
    return f"{_name(last)}: the answer was {last.outcome.replace('_', ' ')}, and nothing was asked again"


def _hangs(asked: Asked, speed: float) -> str | None:
    for attempt in asked:
        silent = (attempt.end - attempt.start) / speed
        if attempt.first_token is None and attempt.outcome in {"timeout", "unfinished"} and silent > HANGS:
            return f"{_name(attempt)}: held on for {format_seconds(silent)} without a word"
    return None


def _gives_up(prompts: Sequence[Asked]) -> Antipattern:
    """A habit of the whole run: whoever has retried once, or sent little, is not accused."""
    name = "never_retries"
    failed = [asked[0] for asked in prompts if might_have_passed(asked[0])]
    retried = any(len(asked) > 1 for asked in prompts)
    if retried or len(failed) < SHOWN:
        return Antipattern(name, 0, (), ANTIPATTERNS[name])
    told = tuple(f"{_name(attempt)}: {attempt.status or attempt.outcome}, and given up" for attempt in failed[:SHOWN])
    return Antipattern(name, len(failed), told, ANTIPATTERNS[name])


def might_have_passed(attempt: Attempt) -> bool:
    if attempt.status is not None and attempt.outcome in {"http_error", "rate_limited"}:
        return attempt.status >= 500 or attempt.status in RETRYABLE
    return attempt.outcome in {"refused", "reset", "timeout"}


def _name(attempt: Attempt) -> str:
    return f"{attempt.prompt} at {format_seconds(attempt.start, 1)}"


ATTEMPT_CHECKS: Mapping[str, _Look] = {
    "ignores_retry_after": _ignores_retry_after,
    "retries_what_cannot_succeed": _retries_what_cannot_succeed,
    "retries_without_end": _retries_without_end,
    "does_not_back_off": _does_not_back_off,
    "takes_broken_answers": _takes_broken_answers,
    "hangs": _hangs,
}
ANTIPATTERNS: Mapping[str, str] = {
    "ignores_retry_after": "A server that says when to come back knows; wait at least as long",
    "retries_what_cannot_succeed": "A request that is wrong stays wrong; show the error instead",
    "retries_without_end": "Limit attempts and time for one prompt, or every user becomes a crowd",
    "does_not_back_off": "Wait longer after every failure, with jitter",
    "takes_broken_answers": "Check that an answer is complete (finish_reason) before using it; a program that "
    "does, and tells its user, may be allowed this habit",
    "hangs": "Set a read timeout; the SDKs' default is ten minutes",
    "never_retries": "A failure of a moment need not reach the user; retry once or twice, or fall over",
}

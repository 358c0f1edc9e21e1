"""Attempts in, anti-patterns with their evidence out: what a client must not do to a provider in trouble. Pure.

Waits are measured by the client's own clock, in wall seconds: an SDK does not know about `speed`. A check needs only
the attempts, and few of them, so it works for the user's own program as well. Whatever the attempts do not show is not
reported: whether a program showed its user an error, for instance.

An anti-pattern is found, avoided, or undecided: where no attempt gave occasion to it, avoiding it shows nothing. Where
prompts may be retries in other words (`Attempt.may_retry`), each check is made twice, with these prompts apart and
joined to those they may retry; what shows in only one of the two is undecided, and so is then the client.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from mockbot.errors import UsageError
from mockbot.evidence.records import Attempt
from mockbot.scenario.problems import nearest
from mockbot.units.formatting import format_clock, format_counted, format_duration, format_wall

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
    """One anti-pattern: how often it occurred, the first occurrences in words, and what to do instead.

    `undecided`: why it was neither found nor avoided, or empty. `unsettled`: because of that, the client as a whole was
    neither shown to be resilient nor not to be.
    """

    name: str
    times: int
    evidence: tuple[str, ...]
    advice: str
    undecided: str = ""
    unsettled: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {format_counted(self.times, 'time')}; {'; '.join(self.evidence)}. {self.advice}"


def antipatterns(attempts: Iterable[Attempt], speed: float) -> tuple[Antipattern, ...]:
    """All of `ANTIPATTERNS`, in that order; `times` is 0 for those that did not occur."""
    apart: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        apart[attempt.prompt].append(attempt)
    prompts = [sorted(each, key=lambda attempt: attempt.n) for each in apart.values()]
    retried = frozenset(first.may_retry for first, *_ in prompts if first.may_retry is not None)
    joined = _joined(prompts)
    found = [_found(name, prompts, joined, retried, speed) for name in ATTEMPT_CHECKS]
    return *found, _never_retries(prompts, retried)


def check_allowed(allowed: Iterable[str], *more: str) -> None:
    """Raise UsageError for a name that is no anti-pattern, and none of `more`."""
    for name in allowed:
        if name not in (known := (*ANTIPATTERNS, *more)):
            raise UsageError(f"{name} cannot be allowed: that is not an anti-pattern{nearest(name, known)}")


def _joined(prompts: Iterable[Attempts]) -> list[Attempts]:
    """Each prompt with those that may be its retries."""
    origin: dict[str | None, str] = {}
    joined: dict[str, list[Attempt]] = defaultdict(list)
    for prompt in prompts:  # an earlier prompt comes first
        name = prompt[0].prompt
        origin[name] = origin.get(prompt[0].may_retry, name)
        joined[origin[name]] += prompt
    return list(joined.values())


def _found(
    name: str, prompts: Iterable[Attempts], joined: Iterable[Attempts], retried: frozenset[str], speed: float
) -> Antipattern:
    check, avoided = ATTEMPT_CHECKS[name], Antipattern(name, 0, (), ANTIPATTERNS[name])
    shown = {prompt[0].prompt: text for prompt in prompts if (text := check(prompt, speed)) is not None}
    # Nothing that a later attempt adds takes back what is shown, except that a broken answer was asked for again.
    certain = [text for prompt, text in shown.items() if text and not (name in TAKEN_BACK and prompt in retried)]
    if certain:
        return replace(avoided, times=len(certain), evidence=tuple(certain[:SHOWN]))
    if retried and any([*shown.values(), *(check(prompt, speed) for prompt in joined)]):
        return replace(avoided, undecided=_cannot_be_told(len(retried)), unsettled=True)
    return avoided if shown else replace(avoided, undecided=f"no occasion: {OCCASIONS[name]}")


def _never_retries(prompts: Sequence[Attempts], retried: frozenset[str]) -> Antipattern:
    """Shows only in the whole run: by SHOWN failures that were all given up."""
    name = "never_retries"
    avoided = Antipattern(name, 0, (), ANTIPATTERNS[name])
    failed = [prompt[0] for prompt in prompts if might_have_passed(prompt[0])]
    given_up = [first for first in failed if first.prompt not in retried]
    doubtful = len(failed) - len(given_up)
    if not prompts:
        why = "the client sent no request, so nothing shows how it behaves; let it ask while a fault holds"
    elif not failed:
        return replace(avoided, undecided=f"no occasion: {OCCASIONS[name]}")
    elif any(len(prompt) > 1 for prompt in prompts):
        return avoided
    elif len(given_up) >= max(SHOWN, doubtful):
        texts = tuple(f"{_name(first)}: {first.status or first.outcome}, and given up" for first in given_up[:SHOWN])
        return replace(avoided, times=len(given_up), evidence=texts)
    elif doubtful:
        why = _cannot_be_told(len(retried))
    else:
        why = f"{_failures(len(given_up))} given up and none retried; {SHOWN} would show that the client never retries"
        why += ", so let more of its requests fail"
    return replace(avoided, undecided=why, unsettled=True)


def _cannot_be_told(times: int) -> str:
    return (
        f"{_failures(times)} followed by a request that may be a retry in other words or a new prompt; let the client "
        "send the header x-mockbot-prompt, with the same value in all attempts for one prompt"
    )


def _failures(times: int) -> str:
    return f"{times} failure{'' if times == 1 else 's'}"


def ignores_retry_after(attempts: Attempts, speed: float) -> str | None:
    """A retry at the same provider before its Retry-After was over; a hedge, sent before the answer, is none."""
    shown = None
    for before, after in pairwise(attempts):
        asked, waited = before.retry_after, after.start - before.end
        if asked is None or after.provider != before.provider or waited < 0:
            continue
        if waited < TOLERANCE * asked:
            return f"{_name(before)}: told to wait {_time(asked, speed)}, came back after {_time(waited, speed)}"
        shown = ""
    return shown


def retries_what_cannot_succeed(attempts: Attempts, _: float) -> str | None:
    """A retry after a status that says that the request itself is wrong, or a code that no money is left."""
    shown = None
    for before, after in zip_longest(attempts, attempts[1:]):
        if before.status is None or not 400 <= before.status < 500:
            continue
        if before.status in RETRYABLE and before.code is None:
            continue
        if after is not None and after.provider == before.provider:
            said = " ".join(filter(None, (str(before.status), before.code)))
            return f"{_name(before)}: {said} was answered, and the same was asked again"
        shown = ""
    return shown


def retries_without_end(attempts: Attempts, speed: float) -> str | None:
    """More than MOST_ATTEMPTS attempts."""
    if len(attempts) <= MOST_ATTEMPTS:
        return None if len(attempts) == 1 else ""
    took = attempts[-1].end - attempts[0].start
    return f"{_name(attempts[0])}: {len(attempts)} attempts in {_time(took, speed)}"


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
        return None if len(waits) < 2 else ""
    times = ", ".join(_time(wait * speed, speed) for wait in waits[:5])
    return f"{_name(attempts[0])}: waited {times} between attempts"


def takes_broken_answers(attempts: Attempts, _: float) -> str | None:
    """The last answer is broken, and there was no other attempt."""
    last = attempts[-1]
    if last.outcome not in BROKEN:
        return "" if any(attempt.outcome in BROKEN for attempt in attempts) else None
    return f"{_name(last)}: the answer was {last.outcome.replace('_', ' ')}, and nothing was asked again"


def hangs(attempts: Attempts, speed: float) -> str | None:
    """An attempt that waited for its first token for more than HANGS."""
    shown = None
    for attempt in attempts:
        silent = (attempt.end - attempt.start) / speed
        if attempt.first_token is not None or attempt.outcome not in {"timeout", "unfinished"}:
            continue
        if silent > HANGS:
            return f"{_name(attempt)}: waited for {_time(silent * speed, speed)} without a token"
        shown = ""
    return shown


def _time(seconds: float, speed: float) -> str:
    """A time of the client's own clock, from scenario seconds: where that is the wall's, it is written as wall time."""
    return format_duration(seconds) if speed == 1 else format_wall(seconds / speed)


def might_have_passed(attempt: Attempt) -> bool:
    """Whether the attempt failed in a way that a retry may cure."""
    if attempt.status is not None and attempt.outcome in {"http_error", "rate_limited"}:
        return attempt.status >= 500 or (attempt.status in RETRYABLE and attempt.code is None)
    return attempt.outcome in {"refused", "reset", "closed", "timeout"}


def _name(attempt: Attempt) -> str:
    return f"{attempt.prompt} at {format_clock(attempt.start, 1)}"


# name -> a check of one prompt's attempts, with the client's speed: a description of the occurrence, "" when the client
# had an occasion and avoided it, None when it had none
ATTEMPT_CHECKS: Mapping[str, Callable[[Attempts, float], str | None]] = {
    "ignores_retry_after": ignores_retry_after,
    "retries_what_cannot_succeed": retries_what_cannot_succeed,
    "retries_without_end": retries_without_end,
    "does_not_back_off": does_not_back_off,
    "takes_broken_answers": takes_broken_answers,
    "hangs": hangs,
}
TAKEN_BACK = frozenset({"takes_broken_answers"})
OCCASIONS: Mapping[str, str] = {  # name -> what would have to happen for it to show, and did not
    "ignores_retry_after": "no request was told when to come back and came back",
    "retries_what_cannot_succeed": "no request failed by its own fault",
    "retries_without_end": "nothing was retried",
    "does_not_back_off": "no prompt was retried twice after waits of the client's own choice",
    "takes_broken_answers": "no answer was broken",
    "hangs": "no attempt ended without a first token",
    "never_retries": "no request failed in a way that a retry may cure",
}
ANTIPATTERNS: Mapping[str, str] = {  # name -> what to do instead
    "ignores_retry_after": "A server that says when to come back knows; wait at least as long",
    "retries_what_cannot_succeed": "The request itself is wrong, or no quota is left, so a retry cannot succeed; show "
    "the error instead",
    "retries_without_end": "Limit the attempts and the time for one prompt",
    "does_not_back_off": "Wait longer after every failure, with jitter",
    "takes_broken_answers": "Check that an answer is complete (finish_reason) before using it; a program that "
    "does, and tells its user, may be allowed this anti-pattern",
    "hangs": "Set a read timeout; the SDKs' default is ten minutes",
    "never_retries": "A short failure need not reach the user; retry once or twice, or fall over",
}

"""Findings about a system under test: Exchanges and the faults in, each finding with its count and evidence out. Pure.

Each is named after what the field calls it. A finding rests on what both sides saw; what a single side could explain
otherwise is not reported. `of`: how many prompts, requests or stretches it could have happened to.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockbot.dialects.identified_text import Piece
from mockbot.evidence.records import Attempt, Outcome, Request
from mockbot.evidence.system_join import Exchange, Joined
from mockbot.evidence.system_stretches import DEAD_AFTER, dead_stretches, failed, outages
from mockbot.faults.base import SYSTEM
from mockbot.scenario.spans import FaultSpan
from mockbot.units.formatting import format_clock, format_counted, format_duration
from mockbot.units.rank import nearest_rank

SHOWN = 3  # occurrences described
TOLERANCE = 0.9  # of a Retry-After: clients round it
MOST_REQUESTS = 4  # to one provider for one attempt of a user: one layer that retries makes at most 3 or 4
FEWEST_PROMPTS = 10  # after a recovery, before "never" can be said
RETURNS_WITHIN = 30.0  # seconds that a system has to notice a recovery: usual cooldowns are 5 to 30 s
HELD_BACK = 1.0  # seconds from a user's request to the system's own that are not its usual work
FEWEST_HELD = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: how often, of how many, the first occurrences in words, and what to do instead."""

    name: str
    times: int
    of: int
    evidence: tuple[str, ...]
    advice: str
    undecided: str = ""  # why it cannot be told


@dataclass(frozen=True, slots=True)
class Setting:
    """What the findings must know beside the exchanges. `exits`: when the system ended by itself, with what code."""

    faults: Sequence[FaultSpan] = ()
    end: float = 0.0
    exits: Sequence[tuple[float, int]] = ()


EARLY_ENDS: Mapping[Outcome, str] = {
    "truncated": "which ended properly but too early",
    "closed": "which was closed too early",
    "reset": "which was reset",
}
Found = tuple[int, list[str]]  # of how many, and a text for each occurrence


def findings(joined: Joined, setting: Setting) -> tuple[Finding, ...]:
    """All of FINDINGS, in that order; `times` is 0 for those that did not occur."""
    made = []
    for name, (check, advice) in FINDINGS.items():
        of, texts = check(joined, setting)
        made.append(Finding(name, len(texts), of, tuple(texts[:SHOWN]), advice))
    return tuple(made)


def launders_truncation(joined: Joined, _: Setting) -> Found:
    """An answer of which a part is missing, presented as complete."""
    answered = [each for each in joined.exchanges if each.kind in {"whole", "laundered"}]
    texts = []
    for each in answered:
        if each.kind == "laundered":
            piece = each.answers[-1].pieces[-1]
            words = f"{piece.words} of {piece.of} words of {piece.provider}{_early_end(each, piece)}"
            texts.append(f"{each.prompt.id}: {words}, said to be all")
    return len(answered), texts


def launders_errors(joined: Joined, _: Setting) -> Found:
    """A failure of every provider that was asked, presented as an answer."""
    hopeless = [each for each in joined.exchanges if each.upstream and all(failed(it) for it in each.upstream)]
    return len(hopeless), [
        f"{each.prompt.id}: {_outcomes(each.upstream)}, and the user was answered {each.answers[-1].begins[:60]!r}"
        for each in hopeless
        if each.kind in {"canned", "blank"} and each.attempts[-1].status == 200 and not each.answers[-1].degraded
    ]


def retry_multiplication(joined: Joined, _: Setting) -> Found:
    """More requests to one provider for one request of a user than one layer of retries makes."""
    texts, of = [], 0
    for each, attempt, requests in _by_attempt(joined):
        of += 1
        for provider in dict.fromkeys(request.provider for request in requests):
            made = [request for request in requests if request.provider == provider]
            if len(made) > MOST_REQUESTS and all(failed(request) for request in made[:-1]):
                took = format_duration(made[-1].start - attempt.start)
                texts.append(f"{each.prompt.id}: {len(made)} requests to {provider} in {took}")
    return of, texts


def ignores_retry_after(joined: Joined, _: Setting) -> Found:
    """A request for the same prompt to the same provider before its Retry-After was over."""
    told, texts = 0, []
    for each in joined.exchanges:
        for before, after in pairwise(each.upstream):
            asked, waited = before.retry_after, after.start - before.end
            if not asked or before.provider != after.provider or waited < 0:
                continue
            told += 1
            if waited < TOLERANCE * asked:
                waits = f"told to wait {format_duration(asked)}, came back after {format_duration(waited)}"
                texts.append(f"{each.prompt.id}: {before.provider} {waits}")
    return told, texts


def hammers_dead_provider(joined: Joined, _: Setting) -> Found:
    """Prompts that ask a provider first which has only failed for DEAD_AFTER, while another one answers.

    Counted in stretches: a stretch is hammered when more than half of its later prompts ask the dead provider first.
    """
    stretches, texts = 0, []
    for provider, start, end in dead_stretches(joined):
        later = [each for each in joined.exchanges if start + DEAD_AFTER <= each.prompt.start < end and each.upstream]
        if len(later) < FEWEST_PROMPTS or not any(each.answered_by not in {None, provider} for each in later):
            continue
        stretches += 1
        first = [each for each in later if each.upstream[0].provider == provider]
        if len(first) > len(later) / 2:
            dead = format_duration(end - start)
            texts.append(
                f"{provider} failed for {dead}, and {len(first)} of the {len(later)} later prompts asked it first"
            )
    return stretches, texts


def never_fails_back(joined: Joined, setting: Setting) -> Found:
    """No prompt is answered by a provider any more that answered most before it failed, and is well again."""
    recoveries, texts = 0, []
    for provider, begin, end in outages(setting.faults):
        before = [each for each in joined.exchanges if each.prompt.end < begin and each.answered_by]
        after = [each for each in joined.exchanges if each.prompt.start >= end + RETURNS_WITHIN and each.answered_by]
        detours = [each for each in joined.exchanges if begin <= each.prompt.start < end and each.answered_by]
        usual = sum(each.answered_by == provider for each in before) > len(before) / 2
        left = any(each.answered_by != provider for each in detours)
        if not usual or not left or len(after) < FEWEST_PROMPTS:
            continue
        recoveries += 1
        if not any(each.answered_by == provider for each in after):
            texts.append(
                f"{provider} was well again at {format_clock(end)}, and others answered all {len(after)} later prompts"
            )
    return recoveries, texts


def splices_answers(joined: Joined, _: Setting) -> Found:
    """Two answers in one text, the first of which breaks off."""
    answered = [each for each in joined.exchanges if each.kind in {"whole", "spliced"}]
    texts = []
    for each in answered:
        if each.kind == "spliced":
            pieces = each.answers[-1].pieces
            parts = (f"{it.words} of {it.of} words of {it.provider}{_early_end(each, it)}" for it in pieces)
            texts.append(f"{each.prompt.id}: {' + '.join(parts)}")
    return len(answered), texts


def crosses_answers(joined: Joined, _: Setting) -> Found:
    """The answer to another user's prompt. One is enough: it is a leak."""
    return len(joined.exchanges), [
        f"{each.prompt.id}: got request {each.answers[-1].pieces[0].request}, which another user had made"
        for each in joined.exchanges
        if each.kind == "crossed"
    ]


def hangs_past_client_timeout(joined: Joined, _: Setting) -> Found:
    """The user gave up while the system still waited for a provider: its timeout, if any, is the longer one."""
    waited, texts = 0, []
    for each, attempt, requests in _by_attempt(joined):
        if attempt.outcome not in {"timeout", "slow"}:
            continue
        waited += 1
        open_then = [it for it in requests if it.end >= attempt.end - 0.1 and it.first_token is None]
        if open_then and open_then[0].start - attempt.start < (attempt.end - attempt.start) / 2:
            silent = format_duration(attempt.end - open_then[0].start)
            texts.append(f"{each.prompt.id}: waited {silent} for {open_then[0].provider}, until its user had gone")
    return waited, texts if len(texts) >= SHOWN else []


def no_concurrency_left(joined: Joined, setting: Setting) -> Found:
    """Prompts that a healthy provider answers at once wait in the system first, while it waits for a dead one."""
    healthy = [
        each
        for each in joined.exchanges
        if each.upstream and each.upstream[0].outcome == "ok" and not _hit(each.upstream[0], setting)
    ]
    usual = nearest_rank(sorted(_held(each) for each in healthy), 0.5) or 0.0
    texts, hanging = [], _hanging(joined)
    for each in healthy:
        asked = each.upstream[0].start
        others = [it for it in hanging if it.start < asked and it.end > asked - _held(each) / 2]
        if _held(each) > usual + HELD_BACK and others:
            held, dead = format_duration(_held(each)), others[0].provider
            texts.append(f"{each.prompt.id}: held for {held} before {each.upstream[0].provider} was asked; {dead} hung")
    return len(healthy), texts if len(texts) >= FEWEST_HELD else []


def single_point_of_failure(joined: Joined, setting: Setting) -> Found:
    """The system itself died or refused connections, and no fault on it was staged."""
    attempts = sorted((it for each in joined.exchanges for it in each.attempts), key=lambda it: it.start)
    own = [(span.start, _back(span, attempts)) for span in setting.faults if span.provider == SYSTEM]
    texts = [
        f"the system ended at {format_clock(t, 1)} with exit code {code}"
        for t, code in setting.exits
        if not any(start <= t <= back for start, back in own)
    ]
    refused = [
        attempt
        for attempt in attempts
        if attempt.outcome == "refused" and not any(start <= attempt.start <= back for start, back in own)
    ]
    if refused:
        count = format_counted(len(refused), "connection")
        texts.append(f"it refused {count}, the first at {format_clock(refused[0].start, 1)}")
    return len(joined.exchanges), texts


def _back(span: FaultSpan, attempts: Iterable[Attempt]) -> float:
    """When the system was back after a fault on it: its start takes a while."""
    later = (it.start for it in attempts if it.start >= span.end and it.outcome not in {"refused", "reset", "closed"})
    return next(later, math.inf)


FINDINGS: Mapping[str, tuple[Callable[[Joined, Setting], Found], str]] = {
    "launders_truncation": (launders_truncation, "Pass the end of a stream on as it came, or end with an error."),
    "launders_errors": (launders_errors, "Answer a failure with an error status, and say so to the user."),
    "retry_multiplication": (
        retry_multiplication,
        "Retry in one layer only: set max_retries=0 in the SDK or the system.",
    ),
    "ignores_retry_after": (ignores_retry_after, "Wait as long as Retry-After says, or ask another provider."),
    "hammers_dead_provider": (
        hammers_dead_provider,
        "Stop asking a provider that only fails, and probe it now and then.",
    ),
    "never_fails_back": (never_fails_back, "Probe the first provider after its failure, and go back when it answers."),
    "splices_answers": (splices_answers, "Once text has been sent, end with an error instead of another answer."),
    "crosses_answers": (crosses_answers, "Never share an answer between users; look at caches and connection reuse."),
    "hangs_past_client_timeout": (
        hangs_past_client_timeout,
        "Give the provider's call a shorter timeout than your users have.",
    ),
    "no_concurrency_left": (no_concurrency_left, "Limit how many requests wait for one provider (a bulkhead)."),
    "single_point_of_failure": (single_point_of_failure, "Run more than one instance, and restart what ends."),
}


def _early_end(exchange: Exchange, piece: Piece) -> str:
    """How the provider ended the answer that this is a piece of, when that was too early."""
    ends = (EARLY_ENDS.get(it.outcome) for it in exchange.upstream if it.wrote == piece.request)
    return "".join(f", {end}" for end in ends if end)


def _outcomes(requests: Iterable[Request]) -> str:
    return ", ".join(f"{it.provider} {it.status if it.status and it.status >= 400 else it.outcome}" for it in requests)


def _by_attempt(joined: Joined) -> Iterator[tuple[Exchange, Attempt, list[Request]]]:
    """Every attempt of a user with the requests that began while it ran, or after it and before the next one."""
    for each in joined.exchanges:
        starts = [attempt.start for attempt in each.attempts[1:]]
        for attempt, until in zip(each.attempts, [*starts, float("inf")], strict=True):
            yield each, attempt, [it for it in each.upstream if attempt.start <= it.start < until]


def _hit(request: Request, setting: Setting) -> bool:
    return any(span.provider == request.provider and span.start <= request.start < span.end for span in setting.faults)


def _held(exchange: Exchange) -> float:
    return exchange.upstream[0].start - exchange.prompt.start


def _hanging(joined: Joined) -> list[Request]:
    """Requests that got no token for longer than HELD_BACK."""
    return [
        it
        for each in joined.exchanges
        for it in each.upstream
        if it.first_token is None and it.outcome in {"timeout", "unfinished"} and it.end - it.start > HELD_BACK
    ]

"""What a system under test made of its users' prompts and sent to the providers: Exchanges in, figures out. Pure.

Every figure is a Ratio with its numerator and denominator, or a time in scenario seconds. Prompts are those that the
caller has chosen: of a phase, of a group. A time that never came is infinite; one that cannot be asked is None.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockbot.evidence.records import Request
from mockbot.evidence.system_join import Exchange, Kind

LEFT_BEHIND = 1.0  # seconds that a request may run on after its user has gone, before it counts as orphaned

Exchanges = Sequence[Exchange]


@dataclass(frozen=True, slots=True)
class Ratio:
    """`part` of `whole`."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """None when there is nothing to divide by."""
        return self.part / self.whole if self.whole else None


def upstream_per_prompt(exchanges: Exchanges) -> Ratio:
    """Requests that providers got, per prompt."""
    return Ratio(sum(len(each.upstream) for each in exchanges), len(exchanges))


def upstream_distribution(exchanges: Exchanges) -> dict[int, int]:
    """Of the prompts whose first request failed: requests -> prompts. A mean would hide that some had 3 and some 1."""
    return dict(sorted(Counter(len(each.upstream) for each in exchanges if _first_failed(each)).items()))


def upstream_availability(exchanges: Exchanges, provider: str | None = None) -> Ratio:
    """Requests that providers answered well, of all that they got."""
    got = [each for each in _requests(exchanges) if provider in {None, each.provider}]
    return Ratio(sum(each.outcome == "ok" for each in got), len(got))


def share_of(exchanges: Exchanges, *kinds: Kind) -> Ratio:
    """Prompts whose answer was one of these kinds: `laundered`, `canned`, ..."""
    return Ratio(sum(each.kind in kinds for each in exchanges), len(exchanges))


def saved(exchanges: Exchanges) -> Ratio:
    """Prompts that were answered in full, of those whose first request to a provider failed."""
    failed = [each for each in exchanges if _first_failed(each)]
    return Ratio(sum(each.kind == "whole" for each in failed), len(failed))


def orphaned_upstream(exchanges: Exchanges) -> Ratio:
    """Requests that ran on for LEFT_BEHIND or more after their user had left, of all that providers got."""
    requests = [(each.prompt.end, request) for each in exchanges for request in each.upstream]
    return Ratio(sum(request.end - gone >= LEFT_BEHIND for gone, request in requests), len(requests))


def fail_over_time(exchanges: Exchanges, provider: str, onset: float, end: float) -> float:
    """From `onset` of what befell `provider` to the first whole answer by another, of a prompt begun before `end`."""
    elsewhere = (
        each.prompt.end - onset
        for each in exchanges
        if onset <= each.prompt.end and each.prompt.start < end and each.answered_by not in {None, provider}
    )
    return min(elsewhere, default=math.inf)


def first_return(exchanges: Exchanges, provider: str, end: float) -> float:
    """From `end` of what befell `provider` to its first whole answer to a prompt begun after that."""
    back = (each.prompt.end - end for each in _after(exchanges, end) if each.answered_by == provider)
    return min(back, default=math.inf)


def last_detour(exchanges: Exchanges, provider: str, end: float) -> float:
    """From `end` of what befell `provider` to the last prompt begun after that which another one answered; or 0."""
    elsewhere = (each.prompt.start - end for each in _after(exchanges, end) if each.answered_by not in {None, provider})
    return max(elsewhere, default=0.0)


def added_latency(exchanges: Exchanges) -> list[float]:
    """How much longer the user waited for a whole answer than its provider took; prompts with one request only."""
    return [
        (tries.end - tries.start) - (request.end - request.start)
        for each in exchanges
        if each.kind == "whole" and len(each.upstream) == 1 and len(each.attempts) == 1
        for tries, request in zip(each.attempts, each.upstream, strict=True)
    ]


def added_first_token(exchanges: Exchanges) -> list[float]:
    """The same for the first token of streams."""
    return [
        tries.first_token - request.first_token
        for each in exchanges
        if each.kind == "whole" and len(each.upstream) == 1 and len(each.attempts) == 1
        for tries, request in zip(each.attempts, each.upstream, strict=True)
        if tries.first_token is not None and request.first_token is not None and request.streamed
    ]


def retry_waits(exchanges: Exchanges) -> list[float]:
    """Waits between two requests for one prompt to the same provider, the first of which had failed."""
    return _waits(exchanges, lambda before, after: before.provider == after.provider)


def detour_waits(exchanges: Exchanges) -> list[float]:
    """Waits from the failure of one provider to the request to another one."""
    return _waits(exchanges, lambda before, after: before.provider != after.provider)


def _waits(exchanges: Exchanges, counts: Callable[[Request, Request], bool]) -> list[float]:
    pairs = (pair for each in exchanges for pair in pairwise(each.upstream))
    return [max(0.0, b.start - a.end) for a, b in pairs if a.outcome != "ok" and counts(a, b)]


def _requests(exchanges: Exchanges) -> Iterable[Request]:
    return (request for each in exchanges for request in each.upstream)


def _first_failed(exchange: Exchange) -> bool:
    return bool(exchange.upstream) and exchange.upstream[0].outcome not in {"ok", "unfinished"}


def _after(exchanges: Exchanges, end: float) -> Iterable[Exchange]:
    """Prompts begun after the end: those that straddle it belong to neither side."""
    return (each for each in exchanges if each.prompt.start >= end)

"""Stretches of time that findings about a system look at: a provider only fails, or something befalls it. Pure."""

from collections.abc import Iterable, Iterator

from mockbot.evidence.records import Request
from mockbot.evidence.system_join import Joined
from mockbot.faults.base import SYSTEM
from mockbot.scenario.spans import FaultSpan

DEAD_AFTER = 10.0  # seconds of nothing but failures after which a provider is known to be dead
FEWEST_FAILURES = 10  # in that time


def failed(request: Request) -> bool:
    """Whether the provider gave no whole answer."""
    return request.outcome not in {"ok", "unfinished"}


def dead_stretches(joined: Joined) -> Iterator[tuple[str, float, float]]:
    """(provider, from, to): at least DEAD_AFTER and FEWEST_FAILURES in which every request to the provider failed."""
    by_provider: dict[str, list[Request]] = {}
    for request in (request for exchange in joined.exchanges for request in exchange.upstream):
        by_provider.setdefault(request.provider, []).append(request)
    for provider, requests in by_provider.items():
        run: list[Request] = []
        in_order: list[Request | None] = [*sorted(requests, key=lambda it: it.start), None]
        for each in in_order:
            if each is not None and failed(each):
                run.append(each)
                continue
            if len(run) >= FEWEST_FAILURES and run[-1].start - run[0].end > DEAD_AFTER:
                yield provider, run[0].end, run[-1].start
            run = []


def outages(faults: Iterable[FaultSpan]) -> Iterator[tuple[str, float, float]]:
    """(provider, from, to) for each stretch in which something befell a provider, to its last end."""
    spans = sorted((span.provider, span.start, span.end) for span in faults if span.provider != SYSTEM)
    current: tuple[str, float, float] | None = None
    for provider, start, end in spans:
        if current is not None and provider == current[0] and start <= current[2]:
            current = (provider, current[1], max(current[2], end))
            continue
        if current is not None:
            yield current
        current = (provider, start, end)
    if current is not None:
        yield current

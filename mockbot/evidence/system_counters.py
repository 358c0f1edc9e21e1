"""The counts of a system under test in one scope: exchanges in, what `measures.system` reads out. Pure."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

from mockbot.evidence.system_join import Exchange
from mockbot.evidence.system_measures import (
    added_first_token,
    added_latency,
    fail_over_time,
    first_return,
    last_detour,
    orphaned_upstream,
    saved,
    share_of,
    upstream_availability,
    upstream_per_prompt,
)
from mockbot.measures.counter_protocols import Outage


class SystemCounters:
    """`outages`: of each provider; `until`: when the run ended; `provider`: the scope's, None for all of them."""

    def __init__(
        self, exchanges: Sequence[Exchange], outages: Sequence[tuple[str, Outage]], until: float, provider: str | None
    ) -> None:
        self._exchanges, self._outages, self._until = exchanges, outages, until
        rescued, ok = saved(exchanges), upstream_availability(exchanges, provider)
        self.prompts = len(exchanges)
        self.laundered = share_of(exchanges, "laundered").part
        self.canned = share_of(exchanges, "canned").part
        self.failed_first, self.saved = rescued.whole, rescued.part
        self.upstream = ok.whole if provider is not None else upstream_per_prompt(exchanges).part
        self.upstream_ok = ok.part
        self.orphaned = orphaned_upstream(exchanges).part

    def added(self, first_token: bool) -> Sequence[float]:
        """Of prompts that began while nothing was wrong with any provider."""
        calm = [each for each in self._exchanges if not any(_during(each, outage) for _, outage in self._outages)]
        return added_first_token(calm) if first_token else added_latency(calm)

    def fail_over_times(self) -> Sequence[float]:
        """Of each outage in which a request failed."""
        return [fail_over_time(self._exchanges, provider, outage.begin, outage.clear) for provider, outage in self._hit]

    def first_returns(self) -> Sequence[float]:
        """The same; negative where the provider did not answer again before the next outage or the end."""
        times = [(first_return(self._upto(it), name, it.clear), it) for name, it in self._hit]
        return [-max(0.001, self._end(it) - it.clear) if math.isinf(time) else time for time, it in times]

    def last_detours(self) -> Sequence[float]:
        """The same."""
        return [last_detour(self._upto(outage), provider, outage.clear) for provider, outage in self._hit]

    @cached_property
    def _hit(self) -> Sequence[tuple[str, Outage]]:
        return [*self._outages_that_failed_a_request()]

    def _outages_that_failed_a_request(self) -> Iterator[tuple[str, Outage]]:
        for provider, outage in self._outages:
            requests = (it for each in self._exchanges for it in each.upstream if it.provider == provider)
            if any(it.outcome != "ok" and outage.begin <= it.start < outage.clear for it in requests):
                yield provider, outage

    def _end(self, outage: Outage) -> float:
        return min(outage.until, self._until)

    def _upto(self, outage: Outage) -> Sequence[Exchange]:
        return [each for each in self._exchanges if each.prompt.start < self._end(outage)]


def _during(exchange: Exchange, outage: Outage) -> bool:
    return exchange.prompt.start < outage.clear and exchange.prompt.end > outage.begin

"""Measures of a system under test: what it made of its users' prompts, and what it sent to the providers. Pure.

Each rests on the join of both sides (mockbot.evidence.system_join), and is undefined without a system, and when less
than 90 % of the providers' requests could be joined.
"""

from collections.abc import Callable, Sequence

from mockbot.measures.counter_protocols import Counters, SystemCounts
from mockbot.measures.measure import NO_PROMPTS, WHOLE_RUN, Measure
from mockbot.measures.values import Beyond, Known, Undefined, Value, ratio
from mockbot.units.rank import nearest_rank

NO_REQUESTS = "no provider got a request"
NOTHING_FAILED = "no request of a prompt failed first"
NO_OUTAGE = "no outage of a provider failed a request"
NOT_BACK = "the run ended before the provider was used again"

OfSystem = Callable[[SystemCounts], Value]


class _Joined:
    """A formula of a system's counts; undefined where there are none."""

    def __init__(self, formula: OfSystem) -> None:
        self._formula = formula
        self.__name__, self.__doc__ = formula.__name__, formula.__doc__

    def __call__(self, counted: Counters) -> Value:
        system = counted.system()
        return system if isinstance(system, Undefined) else self._formula(system)


@Measure("number", "low", shown=("tile",))
@_Joined
def upstream_per_prompt(system: SystemCounts) -> Value:
    """Requests that providers got through the system, over the prompts of its users."""
    return ratio(system.upstream, system.prompts, NO_PROMPTS)


@Measure("share", "high", shown=("tile",))
@_Joined
def upstream_availability(system: SystemCounts) -> Value:
    """Requests that providers answered well, over all that they got through the system."""
    return ratio(system.upstream_ok, system.upstream, NO_REQUESTS)


@Measure("share", "low", shown=("tile",))
@_Joined
def laundered(system: SystemCounts) -> Value:
    """Prompts whose answer was cut short and presented as complete, over all prompts."""
    return ratio(system.laundered, system.prompts, NO_PROMPTS)


@Measure("share", "high", shown=("tile",))
@_Joined
def saved(system: SystemCounts) -> Value:
    """Prompts that were answered in full, over those whose first request to a provider failed."""
    return ratio(system.saved, system.failed_first, NOTHING_FAILED)


@Measure("share", "low")
@_Joined
def canned(system: SystemCounts) -> Value:
    """Prompts that were answered with a text that no provider wrote, over all prompts."""
    return ratio(system.canned, system.prompts, NO_PROMPTS)


@Measure("share", "low")
@_Joined
def orphaned_upstream(system: SystemCounts) -> Value:
    """Requests that ran on for a second or more after their user had left, over all that providers got."""
    return ratio(system.orphaned, system.upstream, NO_REQUESTS)


@Measure("duration", "low", WHOLE_RUN, shown=("tile",), sentence="failed over after")
@_Joined
def fail_over_time(system: SystemCounts) -> Value:
    """Of the worst outage of a provider, from its begin to the first prompt that another one answered in full."""
    return Known(max(times)) if (times := system.fail_over_times()) else Undefined(NO_OUTAGE)


@Measure("duration", "low", WHOLE_RUN, shown=("tile",), sentence="returned after")
@_Joined
def first_return(system: SystemCounts) -> Value:
    """Of the worst outage of a provider, from its end to the first later prompt that it answered in full again."""
    times = system.first_returns()
    if any(time < 0 for time in times):
        return Beyond(-min(times), NOT_BACK)
    return Known(max(times)) if times else Undefined(NO_OUTAGE)


@Measure("duration", "low", WHOLE_RUN, shown=("tile",), sentence="last detour after")
@_Joined
def last_detour(system: SystemCounts) -> Value:
    """Of the worst outage of a provider, from its end to the last later prompt that another one answered."""
    return Known(max(times)) if (times := system.last_detours()) else Undefined(NO_OUTAGE)


def _added(name: str, q: float, text: str, *, first_token: bool) -> Measure:
    def formula(counted: Counters) -> Value:
        system = counted.system()
        if isinstance(system, Undefined):
            return system
        times: Sequence[float] = sorted(system.added(first_token))
        need = round(1 / (1 - q))
        if len(times) < need:
            return Undefined(f"it needs {need} prompts that one request answered in calm, and there were {len(times)}")
        return Known(max(0.0, nearest_rank(times, q) or 0.0))

    which = "Median" if q == 0.5 else "99th percentile"
    return Measure("duration", "low", name=name, text=f"{which} of {text}.", formula=formula)


_WHOLE = "how much longer a user waited for a whole answer than the provider took, in calm, with one request only"
_FIRST = "the same for the first token of streams"

MEASURES = (
    upstream_per_prompt,
    upstream_availability,
    laundered,
    saved,
    canned,
    orphaned_upstream,
    fail_over_time,
    first_return,
    last_detour,
    _added("added_latency_p50", 0.5, _WHOLE, first_token=False),
    _added("added_latency_p99", 0.99, _WHOLE, first_token=False),
    _added("added_first_token_p50", 0.5, _FIRST, first_token=True),
    _added("added_first_token_p99", 0.99, _FIRST, first_token=True),
)

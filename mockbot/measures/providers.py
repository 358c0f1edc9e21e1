"""Measures of providers, from the service's own journal. Pure."""

from mockbot.measures.counter_protocols import Counters
from mockbot.measures.demand import NO_COST
from mockbot.measures.measure import OF_PROVIDERS, WHOLE_RUN, Measure
from mockbot.measures.values import Known, Undefined, Value, ratio


@Measure("share", "low", OF_PROVIDERS, provider_side=True, shown=("tile", "seeds"), sentence="wasted work")
def wasted_work(counted: Counters) -> Value:
    """Share of the slot time that was spent on answers to disconnected clients."""
    return ratio(counted.work.wasted, counted.work.work, "no provider reported any work")


@Measure("number", "low", {**OF_PROVIDERS, **WHOLE_RUN}, provider_side=True, shown=("tile", "seeds"))
def overshoot(counted: Counters) -> Value:
    """Most requests in one second after an outage, over the provider's capacity; of the worst provider."""
    peaks, cost = [(most, slots) for most, slots in counted.peaks() if most], counted.run.service_time()
    if not peaks:
        return Undefined("nothing was asked of a provider after an outage")
    return Undefined(NO_COST) if cost is None else Known(max(most * cost / slots for most, slots in peaks))


MEASURES = (wasted_work, overshoot)

"""A scenario in, the outage that its explanation is about out: where, when, by what, and who is hit. Pure.

It is the one with the most prompts in it: its length times what the groups that use the provider ask just before it; of
equal ones that of the provider which is out the longest in all.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from mockbot.evidence.outage_spans import outages_of
from mockbot.faults.base import SYSTEM
from mockbot.report.phrases import fault_text
from mockbot.scenario.answer_law import answers_per_second, mean_seconds, share_above
from mockbot.scenario.calm import groups_of, prompts_per_second
from mockbot.scenario.schema import Group, Provider, Scenario
from mockbot.scenario.spans import FaultSpan
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.explain.answer import duration_words
from mockbot.units.formatting import format_percent

BEFORE = 1e-6  # seconds; a moment before a change, so that the change does not count
TAIL = 0.01  # of the answers, from which a law that neglects their length is not told


@dataclass(frozen=True, slots=True)
class Setting:
    """Seconds. `faults` are those of the provider in the outage, `surges` the phases of a larger crowd in it."""

    scenario: Scenario
    timeline: Timeline
    provider: str
    begin: float
    clear: float
    until: float
    faults: tuple[FaultSpan, ...]
    surges: tuple[str, ...]
    of: int = 1  # so many outages in the file

    @property
    def spec(self) -> Provider:
        """The provider that is out."""
        return self.scenario.providers[self.provider]

    @property
    def groups(self) -> dict[str, Group]:
        """Those that ask the provider first."""
        return groups_of(self.scenario, self.provider)

    @property
    def length(self) -> float:
        """Of the outage."""
        return self.clear - self.begin

    @property
    def service(self) -> float:
        """Mean seconds of an answer while all slots are busy."""
        return mean_seconds(self.spec.answer, self.spec.slots)

    @property
    def capacity(self) -> float:
        """Answers per second."""
        return answers_per_second(self.spec)

    @property
    def keeps_queue(self) -> bool:
        """No request is refused or lost by what is wrong."""
        return all(span.fault.keeps_queue for span in self.faults)

    def users(self, names: Iterable[str]) -> int:
        """Of these groups just before the outage."""
        now = self.timeline.at(max(0.0, self.begin - BEFORE))
        return sum(now.users.get(name, 0) for name in names)

    def rate(self, names: Collection[str]) -> float:
        """Prompts per second of these groups just before the outage, when every answer takes its mean time."""
        now = self.timeline.at(max(0.0, self.begin - BEFORE))
        return prompts_per_second(self.scenario, now, names)

    def text(self) -> str:
        """In one line: where, when, by what."""
        here = f" on {self.provider}"
        what = [fault_text(span).replace(here, "", 1) for span in self.faults]
        if self.surges:
            what.append(f"a larger crowd in {', '.join(self.surges)}")
        others = f" (one of {self.of} outages in this file)" if self.of > 1 else ""
        when = f"from {duration_words(self.begin)} to {duration_words(self.clear)}"
        return f"{self.provider}, {when}: {'; '.join(what)}{others}"

    # -- where a law of theory applies; each returns the reason why not, or nothing ----------------------------------

    def unlike_fifo(self) -> str:
        """The laws are of a FIFO queue whose abandoned work continues, and of nothing else that refuses or slows."""
        spec = self.spec
        other = spec.limits or spec.token_limits or spec.refusal_cost or spec.answer.slowdown_from
        queue = spec.queue
        if spec.replicas > 1:
            return f"the law is of one queue, and {self.provider} has {spec.replicas}, one for each replica"
        if other or queue.order != "fifo" or queue.max_wait is not None or queue.first:
            return (
                f"the law is of a plain FIFO queue, and {self.provider} has limits, an order or a slowdown of its own"
            )
        if spec.abandoned_work != "continues":
            return f"the law is of work that continues when its client has gone, and that of {self.provider} does not"
        return ""

    def unlike_blackout(self) -> str:
        """One fault that hits every request of the provider, from the begin to the clear."""
        if self.surges:
            return "the law is of one fault alone, and in this outage the crowd is larger than usual"
        if len(self.faults) != 1:
            return f"the law is of one fault alone, and this outage has {len(self.faults)}"
        (span,) = self.faults
        fault = span.fault
        narrowed = [key for key in ("tier", "keys", "endpoint", "replica") if getattr(fault, key, None) is not None]
        if fault.share.first < 1 or fault.share.last < 1 or fault.flap or narrowed:
            return f"the law is of an outage that hits every request, and this is {fault_text(span)}"
        return ""

    def long_answers(self, seconds: float) -> str:
        """The laws take an answer's time as short beside a client's wait; a tail beyond it wastes slots by itself."""
        share = share_above(self.spec.answer, seconds)
        if share < TAIL:
            return ""
        longer = f"{format_percent(share)} of the answers take longer than {duration_words(seconds)} by themselves"
        return f"the law is of answers that are short beside the wait of a client, and {longer}"


def setting_of(scenario: Scenario) -> Setting | str:
    """The outage; or why there is none to explain."""
    timeline = Timeline(scenario)
    if any(span.provider == SYSTEM for span in timeline.faults):
        return "a fault of this file is on the system under test, which a simulation does not have"
    found = []
    for provider, outages in outages_of(timeline).by_provider.items():
        for each in outages:
            causes = [span for span in timeline.faults if span.id in each.causes and span.provider == provider]
            surges = tuple(phase.name for phase in timeline.phases if phase.name in each.causes)
            one = Setting(scenario, timeline, provider, each.begin, each.clear, each.until, (*causes,), surges)
            if causes or surges:
                found.append(one)
    if not found:
        return "nothing goes wrong in this file"
    whole = {one.provider: sum(each.length for each in found if each.provider == one.provider) for one in found}
    worst = max(found, key=lambda one: (bool(one.faults), one.length * one.rate(one.groups), whole[one.provider]))
    return replace(worst, of=len(found))

"""A run's prompts in, how it ended for its users out: recovered, stuck or overloaded. Pure.

A user is well in a window when the last of their prompts that was decided before the window's end was good. A prompt is
decided when it ends, or when it has waited for the slo. So a crowd that waits and cannot ask is not well, and users who
ask much count no more than others. Counted are the users with a prompt under way in the window; if there is none, all
who ever asked.

The windows are the calm before the disturbance, and the end of the run: its last minute (or twice the longest think
time, so that most users have asked in it), but no more than a quarter of what follows the disturbance.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from mockbot.evidence.counters import prompt_sample
from mockbot.evidence.outage_spans import outages_of
from mockbot.evidence.records import Prompt
from mockbot.scenario.timeline import Timeline

State = Literal["recovered", "stuck", "overloaded", "unasked"]
LAST = 60.0  # seconds at the end that are looked at
CALM = 0.9  # of the users have to be well in the calm
WELL = 0.9  # of the calm's share has to be well in the end


@dataclass(frozen=True, slots=True)
class Share:
    """The share of so many users that is well."""

    well: float
    users: int

    def falls_short(self, of: float) -> bool:
        """By more than chance: two standard deviations of a binomial count."""
        return self.users > 0 and self.well < of - 2 * math.sqrt(of * (1 - of) / self.users)


@dataclass(slots=True)
class Window:
    """Prompts are added in any order."""

    begin: float
    end: float
    slo: float
    _decided: dict[str, tuple[float, bool]] = field(default_factory=dict)  # of each user the last one: when, good?
    _asking: set[str] = field(default_factory=set)

    def add(self, prompt: Prompt) -> None:
        """Count it."""
        if prompt.intended < self.end and prompt.end >= self.begin:
            self._asking.add(prompt.user)
        sample = prompt_sample(prompt, self.slo)
        when = min(prompt.end, prompt.intended + self.slo)
        if (sample.over or sample.took >= self.slo) and when <= self.end:
            self._decided[prompt.user] = max(self._decided.get(prompt.user, (-math.inf, False)), (when, sample.good))

    def share(self) -> Share:
        """Of the users who were asking, or of all who ever had."""
        known = [good for user, (_, good) in self._decided.items() if user in self._asking]
        known = known or [good for _, good in self._decided.values()]
        return Share(sum(known) / len(known) if known else 0.0, len(known))


@dataclass(frozen=True, slots=True)
class Outcome:
    """`calm` is None where nothing is calm before the disturbance; all users are taken to be well then."""

    calm: Share | None
    end: Share

    @property
    def state(self) -> State:
        """Overloaded: a tenth of the users is not well in the calm. Stuck: of those who were, a tenth in the end."""
        if not self.end.users:
            return "unasked"
        if self.calm is not None and self.calm.falls_short(CALM):
            return "overloaded"
        return (
            "stuck" if self.end.falls_short(WELL * (self.calm.well if self.calm is not None else 1.0)) else "recovered"
        )


def windows(timeline: Timeline) -> tuple[Window | None, Window]:
    """(the calm's, the end's), still empty."""
    scenario, what = timeline.scenario, outages_of(timeline).whole
    clear = what.clear if what.clear is not None and what.clear < timeline.end else 0.0  # nothing follows: of the whole
    last = max(LAST, 2 * max(group.think for group in scenario.crowd.values()))
    begin = timeline.end - min(last, (timeline.end - clear) / 4)
    calm = what.baseline
    return Window(*calm, scenario.slo) if calm is not None else None, Window(begin, timeline.end, scenario.slo)

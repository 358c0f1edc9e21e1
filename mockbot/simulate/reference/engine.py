"""The reference engine: a scenario played event by event in virtual time, exactly, with the objects of the live run.

In: a Scenario and a seed. Out: the records of a run, in the order in which they became known. The capacity model, the
fault decisions, the minds, the timeline and even the proxy's links are the live ones; only clock, sockets and waiting
are replaced. Times are scenario seconds at speed 1. The same scenario and seed give the same records, byte for byte.
"""

from collections.abc import Callable, Iterator, Mapping

from mockbot.dialects.families import FAMILIES
from mockbot.evidence.records import Action, Attempt, Prompt, ServiceSecond
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.schema import Provider, Scenario
from mockbot.scenario.timeline import ActiveFault, Conditions, Timeline
from mockbot.service.chatbot import Chatbot
from mockbot.simulate.change_points import STEP, actions, latest, moments
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_crowd import SimCrowd
from mockbot.simulate.reference.sim_provider import SimProvider

Record = Attempt | Prompt | ServiceSecond | Action
Sink = Callable[[Record], None]
MakeChatbot = Callable[[str, Provider, int], Chatbot]


class Reference:
    """One run. `play` to any moment up to `latest`, as often as wanted; `finish` once."""

    stride = 1  # everybody is recorded

    def __init__(self, scenario: Scenario, seed: int, sink: Sink, chatbot: MakeChatbot = Chatbot) -> None:
        self.timeline = Timeline(scenario)
        self.agenda = EventQueue()
        self._sink = sink
        self.crowd = SimCrowd(self.agenda, scenario.crowd, scenario.first_provider, seed, sink)
        self.desks = {
            name: SimProvider(
                self.agenda, chatbot(name, provider, seed), FAMILIES[provider.dialect].dialects[0], self.crowd, seed
            )
            for name, provider in scenario.providers.items()
        }
        self.crowd.desks = self.desks
        self.latest = latest(self.timeline)
        self._told: Mapping[str, ActiveFault] = {}
        self._next_second = self._begun = 0
        self._schedule(seed)
        for action in actions(self.timeline):
            sink(action)

    @property
    def now(self) -> float:
        """The moment it has been played to."""
        return self.agenda.now

    @property
    def events(self) -> int:
        """How many things have happened or will: moments on the agenda, and answers begun."""
        return self.agenda.count + self._begun

    def play(self, until: float) -> bool:
        """Go on to this moment at most; False when nothing more can happen."""
        until = min(until, self.latest)
        if self.agenda.now < self.timeline.end:
            self.agenda.play(min(until, self.timeline.end))
        while self.timeline.end <= self.agenda.now < until and self.crowd.pending:
            self.agenda.play(min(self.agenda.now + STEP, until))
        self._report_seconds()
        return self.agenda.now < self.latest and (self.agenda.now < self.timeline.end or bool(self.crowd.pending))

    def finish(self) -> float:
        """Write what is still under way as unfinished; returns the moment at which the run ended."""
        self.crowd.open = False
        self.crowd.abandon()
        self._report_seconds()
        return self.agenda.now

    # -- the timeline --------------------------------------------------------------------------------------------

    def _schedule(self, seed: int) -> None:
        for t in moments(self.timeline):
            self.agenda.at(t, self._change, t)
        for name, group in self.timeline.scenario.crowd.items():
            if group.arrivals is not None:
                self._next_arrival((name, arrivals(self.timeline, name, seed)))

    def _change(self, due: float) -> None:
        wanted = self.timeline.at(due)
        self.crowd.status = wanted.status
        self._set_faults(wanted)
        if due < self.timeline.end:
            self.crowd.set_users(wanted.users)
        else:
            self.crowd.open = False

    def _set_faults(self, wanted: Conditions) -> None:
        told = {active.span.id: active for active in wanted.faults}
        if told == self._told:
            return
        self._told = told
        for provider, desk in self.desks.items():
            faults = wanted.of(provider)
            desk.set_faults(
                [active for active in faults if active.span.fault.layer == "service"],
                [active for active in faults if active.span.fault.layer == "wire"],
            )

    def _next_arrival(self, what: tuple[str, Iterator[float]]) -> None:
        t = next(what[1], None)
        if t is not None:
            self.agenda.at(t, self._arrive, what)

    def _arrive(self, what: tuple[str, Iterator[float]]) -> None:
        self._next_arrival(what)
        self.crowd.arrive(what[0])

    def _report_seconds(self) -> None:
        for desk in self.desks.values():
            for second in desk.seconds(self._next_second):
                self._begun += second.admitted
                self._sink(second)
        self._next_second = int(self.agenda.now)

"""The reference engine: a scenario played event by event in virtual time, exactly, with the objects of the live run.

In: a Scenario and a seed. Out: the records of a run, in the order in which they became known. The capacity model, the
fault decisions, the client policies, the timeline and even the proxy's links are the live ones; only clock, sockets and
waiting are replaced. Times are scenario seconds at speed 1. The same scenario and seed give the same records, byte for
byte.
"""

from collections.abc import Callable, Iterator, Mapping

from mockbot.dialects.families import FAMILIES
from mockbot.scenario.arrivals import arrivals
from mockbot.scenario.schema import Provider, Scenario
from mockbot.scenario.timeline import ActiveFault, Timeline
from mockbot.service.chatbot import Chatbot
from mockbot.simulate.change_points import STEP, Sink, actions, moments
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_crowd import SimCrowd
from mockbot.simulate.reference.sim_fleet import SimFleet
from mockbot.simulate.reference.sim_provider import SimProvider

MakeChatbot = Callable[[str, Provider, int], Chatbot]


class Reference:
    """One run. `play` to any moment up to `latest`, as often as wanted; `finish` once."""

    stride = 1  # all users are recorded

    def __init__(self, scenario: Scenario, seed: int, sink: Sink, chatbot: MakeChatbot = Chatbot) -> None:
        self.timeline = Timeline(scenario)
        self.latest = self.timeline.latest
        self._queue = EventQueue()
        self._sink = sink
        self._crowd = SimCrowd(self._queue, scenario.crowd, scenario.first_provider, seed, sink)
        self._crowd.providers = self._providers = {
            name: self._provider(scenario, name, chatbot, seed) for name in scenario.providers
        }
        self._active: Mapping[str, ActiveFault] = {}
        self._next_second = self._admitted = 0
        for t in moments(self.timeline):
            self._queue.at(t, self._change, t)
        for name, group in scenario.crowd.items():
            if group.arrivals is not None:
                self._next_arrival((name, arrivals(self.timeline, name, seed)))
        for action in actions(self.timeline):
            sink(action)

    def _provider(self, scenario: Scenario, name: str, chatbot: MakeChatbot, seed: int) -> SimProvider | SimFleet:
        spec = scenario.providers[name]
        ask = FAMILIES[spec.dialect].chat, self._crowd, seed
        if spec.replicas == 1:
            return SimProvider(self._queue, chatbot(name, spec, seed), *ask, over_tls=scenario.over_tls)
        return SimFleet(self._queue, lambda: chatbot(name, spec, seed), spec.replicas, *ask, over_tls=scenario.over_tls)

    @property
    def now(self) -> float:
        """The moment it has been played to."""
        return self._queue.now

    @property
    def events(self) -> int:
        """How many things have happened or will: events in the queue, and answers begun."""
        return self._queue.count + self._admitted

    def play(self, until: float) -> bool:
        """Go on to this moment at most; False when nothing more can happen."""
        until = min(until, self.latest)
        if self.now < self.timeline.end:
            self._queue.play(min(until, self.timeline.end))
        while self.timeline.end <= self.now < until and self._crowd.pending:
            self._queue.play(min(self.now + STEP, until))
        self._report_seconds()
        return self.now < self.latest and (self.now < self.timeline.end or bool(self._crowd.pending))

    def finish(self) -> float:
        """Write what is still under way as unfinished; returns the moment at which the run ended."""
        self._crowd.open = False
        self._crowd.abandon()
        self._report_seconds()
        return self.now

    def _change(self, due: float) -> None:
        """Set what the timeline has at this moment: status page, faults, users."""
        conditions = self.timeline.at(due)
        self._crowd.status = conditions.status
        active = {each.span.id: each for each in conditions.faults}
        if active != self._active:
            self._active = active
            for name, provider in self._providers.items():
                provider.set_faults(conditions.of(name))
        if due < self.timeline.end:
            self._crowd.set_users(conditions.users)
        else:
            self._crowd.open = False

    def _next_arrival(self, what: tuple[str, Iterator[float]]) -> None:
        t = next(what[1], None)
        if t is not None:
            self._queue.at(t, self._arrive, what)

    def _arrive(self, what: tuple[str, Iterator[float]]) -> None:
        self._next_arrival(what)
        self._crowd.arrive(what[0])

    def _report_seconds(self) -> None:
        for provider in self._providers.values():
            for second in provider.seconds(self._next_second):
                self._admitted += second.admitted
                self._sink(second)
        self._next_second = int(self.now)

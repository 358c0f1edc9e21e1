"""The crowd in virtual time: users who think, ask, wait and ask again as their minds say; records out.

The same minds that decide under Locust decide here, and the same records are written. Closed groups have exactly so
many users as the timeline says; whoever is taken away in the middle of a prompt leaves when it is settled. Open groups
have arrivals at the timeline's rate, each somebody new, whatever becomes of those before; with one prompt or a session.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from mockbot.clients.policy import ClientPolicy, Decision, GiveUp, Send
from mockbot.clients.policy_factory import PolicyFactory
from mockbot.evidence.records import Attempt, Outcome, Prompt, Settled
from mockbot.scenario.schema import Group
from mockbot.scenario.timeline import StatusState
from mockbot.service.chatbot import Caller
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_attempt import SimAttempt
from mockbot.simulate.reference.sim_connection import SimConnection
from mockbot.simulate.reference.sim_provider import SimProvider

Sink = Callable[[Attempt | Prompt], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One group, and what its users share. Chance has a stream for each purpose."""

    name: str
    group: Group
    minds: PolicyFactory
    policy: Random
    think: Random
    marks: Random
    session: Random
    leave: Random

    def is_last(self) -> bool:
        """Is this prompt the last one of somebody who arrived? Memoryless, so that sessions are geometric."""
        mean = self.group.session
        return mean == 1 or self.session.random() * mean < 1


class User:
    """One user of a group."""

    __slots__ = ("_cables", "asked", "asking", "caller", "leaving", "mind", "name", "part")

    def __init__(self, part: Part, number: int, mind: ClientPolicy) -> None:
        self.part, self.mind = part, mind
        self.name = f"{part.name}-{number}"
        self.caller = Caller(f"sk-{part.group.tier}-{self.name}", part.group.tier)
        self.asked = 0
        self.asking: SimPrompt | None = None
        self.leaving = False
        self._cables: dict[str, SimConnection] | None = None

    @property
    def cables(self) -> dict[str, SimConnection]:
        """Its open connections by provider, while something is wrong with the wire."""
        if self._cables is None:
            self._cables = {}
        return self._cables


class SimPrompt:
    """A prompt that is not settled yet."""

    __slots__ = ("attempts", "id", "mark", "running", "start", "user")

    def __init__(self, user: User, now: float) -> None:
        user.asked += 1
        self.user = user
        self.id = f"{user.name}.{user.asked}"
        self.start = now
        self.mark = user.part.marks.getrandbits(64)
        self.attempts = 0
        self.running: list[SimAttempt] = []


class SimCrowd:
    """Everybody. `desks` are set once the providers are there; `status` is what the page says now."""

    def __init__(self, agenda: EventQueue, groups: Mapping[str, Group], first: str, seed: int, sink: Sink) -> None:
        self.agenda = agenda
        self.desks: Mapping[str, SimProvider] = {}
        self.status: StatusState | None = None
        self.pending: dict[SimPrompt, None] = {}
        self.open = True
        self._sink = sink
        self._parts = {name: _part(name, group, first, seed) for name, group in groups.items()}
        self._present: dict[str, list[User]] = {name: [] for name in groups}
        self._numbers = dict.fromkeys(groups, 0)
        self._resting: dict[str, list[ClientPolicy]] = {name: [] for name in groups}

    # -- who is there --------------------------------------------------------------------------------------------

    def set_users(self, counts: Mapping[str, int]) -> None:
        """From now on each of these groups has so many users; who leaves is chance, as Locust picks from a set."""
        for name, count in counts.items():
            present, part = self._present[name], self._parts[name]
            while len(present) > count:
                present.pop(part.leave.randrange(len(present))).leaving = True
            while len(present) < count:
                user = self._enrol(part)
                present.append(user)
                self._think(user)

    def arrive(self, name: str) -> None:
        """Somebody new comes with a prompt, and goes when the last one is settled."""
        user = self._enrol(self._parts[name])
        user.leaving = user.part.is_last()
        self._begin(user)

    def _enrol(self, part: Part) -> User:
        self._numbers[part.name] += 1
        resting = self._resting[part.name]
        mind = resting.pop() if resting else part.minds.new_client(part.policy)
        return User(part, self._numbers[part.name], mind)

    def _think(self, user: User, away: float | None = None) -> None:
        think = user.part.group.think
        pause = away if away is not None else user.part.think.expovariate(1 / think) if think else 0.0
        self.agenda.at(self.agenda.now + pause, self._thought, user)

    def _thought(self, user: User) -> None:
        if user.leaving:
            return
        user.leaving = user.part.group.arrivals is not None and user.part.is_last()
        self._begin(user)

    # -- a prompt ------------------------------------------------------------------------------------------------

    def _begin(self, user: User) -> None:
        if not self.open:
            return
        now = self.agenda.now
        asking = user.asking = SimPrompt(user, now)
        self.pending[asking] = None
        move = user.mind.begin(now, self.status)
        if isinstance(move, Send) and move.at <= now:
            self._send(asking, move)
        else:
            self._follow(asking, move)

    def _follow(self, asking: SimPrompt, move: Decision) -> None:
        now = self.agenda.now
        if isinstance(move, GiveUp):
            if move.at > now:
                self.agenda.at(move.at, self._given_up, (asking, move))
            else:
                self._given_up((asking, move))
        elif move.at > now:
            self.agenda.at(move.at, self._due, (asking, move))
        else:
            self._send(asking, move)

    def _due(self, what: tuple[SimPrompt, Send]) -> None:
        asking, send = what
        if asking in self.pending:
            self._follow(asking, asking.user.mind.due(self.agenda.now, send, self.status))

    def _given_up(self, what: tuple[SimPrompt, GiveUp]) -> None:
        asking, end = what
        if asking in self.pending:
            self._settle(asking, "gave_up", None, end.away)

    def _send(self, asking: SimPrompt, send: Send) -> None:
        agenda = self.agenda
        exchange = SimAttempt(asking, asking.attempts, send, agenda.now)
        asking.attempts += 1
        asking.running.append(exchange)
        if send.hedge_after is not None:
            agenda.at(send.at + send.hedge_after, self._hedge, exchange)
        desk = self.desks[send.provider]
        desk.open(exchange)
        if not (exchange.over or desk.is_sure(exchange, send.at + send.timeout)):
            self.give_time(exchange)

    def give_time(self, exchange: SimAttempt) -> None:
        """The attempt is abandoned when its time is over."""
        self.agenda.at(exchange.send.at + exchange.send.timeout, self._time_over, exchange)

    def _hedge(self, exchange: SimAttempt) -> None:
        if exchange.over:
            return
        self.desks[exchange.provider].catch_up(exchange)
        if exchange.over or exchange.first is not None:
            return
        twin = exchange.asking.user.mind.hedge(self.agenda.now, exchange.send)
        if twin is not None:
            self._send(exchange.asking, twin)

    def _time_over(self, exchange: SimAttempt) -> None:
        if exchange.over:
            return
        desk = self.desks[exchange.provider]
        desk.catch_up(exchange)
        if not exchange.over:
            self.ended(exchange, "timeout" if exchange.first is None else "slow")
            desk.hang_up(exchange)

    def ended(self, exchange: SimAttempt, outcome: Outcome) -> None:
        """What became of an attempt is known."""
        asking, mind, now = exchange.asking, exchange.asking.user.mind, self.agenda.now
        self._close(exchange, outcome)
        seen = exchange.seen(outcome)
        if outcome == "ok":
            for twin in tuple(asking.running):
                self._drop(twin)
            mind.succeeded(now, seen)
            self._settle(asking, "answered", exchange)
        elif asking.running:
            mind.beside(now, seen)
        else:
            self._follow(asking, mind.after(now, seen, self.status))

    def _close(self, exchange: SimAttempt, outcome: Outcome) -> None:
        exchange.over = True
        exchange.asking.running.remove(exchange)
        self._sink(exchange.record(outcome, self.agenda.now))

    def _drop(self, twin: SimAttempt) -> None:
        """Its prompt is answered: nobody waits for it any more."""
        self.desks[twin.provider].catch_up(twin)
        if not twin.over:
            self._close(twin, "unfinished")
            twin.asking.user.mind.beside(self.agenda.now, twin.seen("unfinished"))
            self.desks[twin.provider].hang_up(twin)

    def _settle(
        self, asking: SimPrompt, settled: Settled, winner: SimAttempt | None = None, away: float | None = None
    ) -> None:
        del self.pending[asking]
        user = asking.user
        user.asking = None
        self._sink(_record(asking, settled, winner, self.agenda.now))
        if not user.leaving:
            self._think(user, away)
        elif user.part.group.arrivals is not None:
            self._resting[user.part.name].append(user.mind)

    def abandon(self) -> None:
        """The run is over: what is under way is unfinished."""
        for asking in list(self.pending):
            for exchange in tuple(asking.running):
                self.desks[exchange.provider].catch_up(exchange)
                if not exchange.over:
                    self._close(exchange, "unfinished")
            if asking in self.pending:
                self._settle(asking, "unfinished")


def _part(name: str, group: Group, first: str, seed: int) -> Part:
    def stream(purpose: str) -> Random:
        return Random(f"{seed}/{name}/{purpose}")

    return Part(
        name,
        group,
        PolicyFactory(group, group.uses or first),
        stream("policy"),
        stream("think"),
        stream("marks"),
        stream("session"),
        stream("leave"),
    )


def _record(asking: SimPrompt, settled: Settled, winner: SimAttempt | None, now: float) -> Prompt:
    user, start = asking.user, round(asking.start, 4)
    first = None if winner is None or winner.first is None else round(winner.first - asking.start, 4)
    return Prompt(
        asking.id,
        user.name,
        user.part.name,
        user.part.group.tier,
        start,
        start,
        round(now, 4),
        settled,
        asking.attempts,
        None if winner is None else winner.provider,
        first,
    )

"""The crowd in virtual time: users who think, ask, wait and ask again as their policies decide; records out.

The policies are the ones that decide under Locust, and the same records are written. Closed groups have exactly as
many users as the timeline says; a user that is taken away in the middle of a prompt leaves when it is settled. Open
groups have arrivals at the timeline's rate, whatever became of earlier ones; each is a new user with one prompt or a
session.
"""

from collections.abc import Callable, Mapping

from mockbot.clients.policy import Decision, GiveUp, Send
from mockbot.clients.reactions import SOFTWARE
from mockbot.evidence.records import Attempt, Outcome, Prompt, Settled
from mockbot.scenario.schema import Group
from mockbot.scenario.timeline import StatusState
from mockbot.simulate.reference.event_queue import EventQueue
from mockbot.simulate.reference.sim_attempt import SimAttempt, SimPrompt
from mockbot.simulate.reference.sim_fleet import SimFleet
from mockbot.simulate.reference.sim_provider import SimProvider
from mockbot.simulate.reference.sim_user import CrowdGroup, User

Sink = Callable[[Attempt | Prompt], None]


class SimCrowd:
    """All users. `providers` are set once they exist; `status` is what the status page shows now."""

    def __init__(self, events: EventQueue, groups: Mapping[str, Group], first: str, seed: int, sink: Sink) -> None:
        self._events = events
        self.providers: Mapping[str, SimProvider | SimFleet] = {}
        self.status: StatusState | None = None
        self.pending: dict[SimPrompt, None] = {}
        self.open = True
        self._sink = sink
        self._groups = {name: CrowdGroup(name, spec, first, seed) for name, spec in groups.items()}

    # -- users come and go ---------------------------------------------------------------------------------------

    def set_users(self, counts: Mapping[str, int]) -> None:
        """From now on each of these groups has so many users; chance picks who leaves, as Locust picks from a set."""
        for name, count in counts.items():
            group = self._groups[name]
            present = group.present
            while len(present) > count:
                present.pop(group.leave_rng.randrange(len(present))).leaving = True
            while len(present) < count:
                user = group.new_user()
                present.append(user)
                self._think(user)

    def arrive(self, name: str) -> None:
        """A visitor comes with a prompt, and leaves when its last one is settled."""
        user = self._groups[name].new_user()
        user.leaving = user.group.is_last_prompt()
        self._ask(user)

    def _think(self, user: User, away: float | None = None) -> None:
        think = user.group.spec.think
        # A refusal takes no time: without a pause, all prompts to come would be asked at this moment.
        pause = SOFTWARE
        if away is not None:
            pause = max(SOFTWARE, away)
        elif think > SOFTWARE:
            pause = user.group.think_rng.expovariate(1 / think)
        self._events.at(self._events.now + pause, self._end_think, user)

    def _end_think(self, user: User) -> None:
        if user.leaving:
            return
        user.leaving = user.group.spec.arrivals is not None and user.group.is_last_prompt()
        self._ask(user)

    # -- a prompt ------------------------------------------------------------------------------------------------

    def _ask(self, user: User) -> None:
        if self.open:
            now = self._events.now
            prompt = SimPrompt(user, now)
            self.pending[prompt] = None
            self._follow(prompt, user.policy.begin(now, self.status))

    def _follow(self, prompt: SimPrompt, decision: Decision) -> None:
        """Do what the policy has decided, now or when it is due."""
        is_due = decision.at <= self._events.now
        if isinstance(decision, GiveUp):
            if is_due:
                self._give_up((prompt, decision))
            else:
                self._events.at(decision.at, self._give_up, (prompt, decision))
        elif is_due:
            self._send(prompt, decision)
        else:
            self._events.at(decision.at, self._reconsider, (prompt, decision))

    def _reconsider(self, what: tuple[SimPrompt, Send]) -> None:
        prompt, send = what
        if prompt in self.pending:
            self._follow(prompt, prompt.user.policy.due(self._events.now, send, self.status))

    def _give_up(self, what: tuple[SimPrompt, GiveUp]) -> None:
        prompt, end = what
        if prompt in self.pending:
            self._settle(prompt, "gave_up", None, end.away)

    def _send(self, prompt: SimPrompt, send: Send) -> None:
        provider = self.providers[send.provider].reached_by(prompt.user)
        attempt = SimAttempt(prompt, prompt.attempts, send, self._events.now, provider)
        prompt.attempts += 1
        prompt.running.append(attempt)
        if send.hedge_after is not None:
            self._events.at(send.at + send.hedge_after, self._hedge, attempt)
        provider.open(attempt)
        # A timer that cannot ring is not set: most attempts are answered in time, and timers are most of the queue.
        if not (attempt.over or provider.is_sure(attempt, send.at + send.timeout)):
            self.start_timeout(attempt)

    def start_timeout(self, attempt: SimAttempt) -> None:
        """The attempt is abandoned when its time is over."""
        self._events.at(attempt.send.at + attempt.send.timeout, self._time_out, attempt)

    def _hedge(self, attempt: SimAttempt) -> None:
        if attempt.over:
            return
        attempt.server.catch_up(attempt)
        if attempt.over or attempt.first is not None:
            return
        twin = attempt.prompt.user.policy.hedge(self._events.now, attempt.send)
        if twin is not None:
            self._send(attempt.prompt, twin)

    def _time_out(self, attempt: SimAttempt) -> None:
        if attempt.over:
            return
        attempt.server.catch_up(attempt)
        if not attempt.over:
            self.ended(attempt, "timeout" if attempt.first is None else "slow")
            attempt.server.hang_up(attempt)

    def ended(self, attempt: SimAttempt, outcome: Outcome) -> None:
        """The outcome of an attempt is known."""
        prompt, policy, now = attempt.prompt, attempt.prompt.user.policy, self._events.now
        self._close(attempt, outcome)
        result = attempt.result(outcome)
        if outcome == "ok":
            for twin in tuple(prompt.running):
                self._drop(twin)
            policy.succeeded(now, result)
            self._settle(prompt, "answered", attempt)
        elif prompt.running:
            policy.beside(now, result)
        else:
            self._follow(prompt, policy.after(now, result, self.status))

    def _close(self, attempt: SimAttempt, outcome: Outcome) -> None:
        attempt.over = True
        attempt.prompt.running.remove(attempt)
        self._sink(attempt.record(outcome, self._events.now))

    def _drop(self, twin: SimAttempt) -> None:
        """A hedge, or the attempt that it was for: its prompt is answered by the other one."""
        twin.server.catch_up(twin)
        if not twin.over:
            self._close(twin, "unfinished")
            twin.prompt.user.policy.beside(self._events.now, twin.result("unfinished"))
            twin.server.hang_up(twin)

    def _settle(
        self, prompt: SimPrompt, settled: Settled, winner: SimAttempt | None = None, away: float | None = None
    ) -> None:
        del self.pending[prompt]
        user = prompt.user
        self._sink(prompt.record(settled, winner, self._events.now))
        if not user.leaving:
            self._think(user, away)
        elif user.group.spec.arrivals is not None:
            user.group.free_policies.append(user.policy)

    def abandon(self) -> None:
        """The run is over: what is under way is unfinished."""
        for prompt in list(self.pending):
            for attempt in tuple(prompt.running):
                attempt.server.catch_up(attempt)
                if not attempt.over:
                    self._close(attempt, "unfinished")
            if prompt in self.pending:
                self._settle(prompt, "unfinished")

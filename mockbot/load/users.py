"""The user who suffers: thinks, asks, waits, asks again as its policy says, and leaves only when its prompt is settled.

`ChatUser` is the one class that a locustfile inherits to get mockbot's measurements. Its `mind` decides, this file
only waits and sends. Think times are absolute: a prompt has the moment at which it should start, and a late start
counts against the answer, not for it.
"""

from dataclasses import dataclass
from random import Random
from typing import ClassVar
from urllib.parse import urlsplit

import gevent
from gevent import GreenletExit
from gevent.event import Event
from geventhttpclient.client import HTTPClient
from geventhttpclient.url import URL
from locust import FastHttpUser, task
from locust.env import Environment
from locust.exception import StopUser

from mockbot.clients.policy import GiveUp, Mind, Move, Seen, Send
from mockbot.evidence.records import Settled
from mockbot.load.collector import AttemptObservation, Pending, UserIdentity
from mockbot.load.hedging import HedgedAttempt
from mockbot.load.load_generator import LoadGenerator, no_status_page
from mockbot.load.recorder import GeneratorError, attempt
from mockbot.load.request_forms import Body, Form, chat, form
from mockbot.scenario.policies import Informed
from mockbot.scenario.schema import Group

QUESTION = "When will it be back?"


class Failed(Exception):  # noqa: N818 - what happened to an attempt, not to us
    """A failed attempt as Locust's failures table prints it: only what happened."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Line:
    """A user's way to one provider."""

    connection: HTTPClient
    form: Form
    url: str


class ChatUser(FastHttpUser):
    """A member of a group. Subclasses may say who they are, what they ask (`body`), or have tasks that call `ask`."""

    abstract = True
    network_timeout = None  # type: ignore[assignment]  # one deadline over the whole attempt instead; see recorder.py
    connection_timeout = None  # type: ignore[assignment]
    group_name: ClassVar[str] = "users"
    spec: ClassVar[Group] = Group(users="100%", policy="once", think="1s")
    own_clock: ClassVar[bool] = False  # True: its client waits by itself, so that time cannot be compressed
    model: ClassVar[str] = "mockbot"
    api_key: ClassVar[str | None] = None  # None: a key of the user's own, by which mockbot's service knows the tier
    node: ClassVar[LoadGenerator]  # set when a run starts

    def __init__(self, environment: Environment) -> None:
        self.host = self.host or next(iter(self.node.cast.endpoints.values())).url
        super().__init__(environment)
        self.who: UserIdentity = self.node.new_user(self.group_name)
        self._mind: Mind = self.node.mind(self.who)
        self._rng: Random = self.node.rng(self.who, "think")
        self._due = max(0.0, self.node.clock.now()) + self._think()
        self._status = self.node.status if isinstance(self.spec.policy, Informed) else no_status_page
        self._leaving = False
        self._lines: dict[str, Line] = {}
        self._rows: dict[str, str] = {}
        self._last: tuple[object, bytes] = (None, b"")

    def body(self) -> Body:
        """What is sent, without `stream`."""
        return chat(self.model, QUESTION)

    @task
    def converse(self) -> None:
        """Think, then ask; the closed loop."""
        self.node.wait_until(self._due)
        away: float | None = None
        try:
            away = self.ask(self._due)
        finally:  # also when this machine failed, or the loop would spin
            self._due = self.node.clock.now() + (self._think() if away is None else away)

    def ask(self, intended: float | None = None) -> float | None:
        """One prompt, from start to settlement. Returns how long the user stays away; StopUser at a shut gate."""
        due = self.node.clock.now() if intended is None else intended
        if not self.node.admits(due):
            raise StopUser
        me = gevent.getcurrent()
        self.node.asking[me] = None
        prompt = self.node.collector.begin(self.who, due)
        settled: Settled = "unfinished"
        try:
            end = self._converse_about(prompt)
            settled = "gave_up" if end else "answered"
        except GeneratorError as error:
            self.node.broken = str(error)
            raise
        finally:
            self.node.collector.settle(prompt, settled)
            del self.node.asking[me]
        if self._leaving:
            raise StopUser
        return end.away if end else None

    def visit(self, due: float) -> None:
        """A session of somebody who arrived at `due`: prompts, thinking in between, the last one by chance; then gone.

        Raises StopUser at a shut gate.
        """
        rng = None if self.spec.session == 1 else self.node.rng(self.who, "session")
        away = self.ask(due)
        while rng is not None and rng.random() * self.spec.session >= 1:
            due = self.node.clock.now() + (self._think() if away is None else away)
            self.node.wait_until(due)
            away = self.ask(due)

    def stop(self, force: bool = False) -> bool:  # noqa: ARG002 - our way is neither of Locust's two
        """Locust takes this user away: at once while it thinks, at its own gate when it is in the middle of a prompt.

        A user in the middle of a prompt leaves Locust's books now, so that the counts are exact, and the stage when
        it is done.
        """
        if self.greenlet not in self.node.asking or self.node.closing:
            return bool(super().stop(force=True))
        self._leaving = True
        self.group.discard(self.greenlet)
        return True

    def on_stop(self) -> None:
        """Hang up."""
        self.client.client.clientpool.close()

    def _converse_about(self, prompt: Pending) -> GiveUp | None:
        clock, mind, status = self.node.clock, self._mind, self._status
        move: Move = mind.begin(clock.now(), status())
        while isinstance(move, Send):
            if move.at > clock.now():
                self.node.wait_until(move.at)
                move = mind.due(max(clock.now(), move.at), move, status())
                continue
            seen = self._send(prompt, move) if move.hedge_after is None else self._race(prompt, move)
            if seen.outcome == "ok":
                mind.succeeded(clock.now(), seen)
                return None
            move = mind.after(clock.now(), seen, status())
        self.node.wait_until(move.at)
        return move

    def _race(self, prompt: Pending, move: Send) -> Seen:
        return HedgedAttempt(self.node, self._mind, lambda move, token: self._send(prompt, move, token)).run(move)

    def _send(self, prompt: Pending, move: Send, token: Event | None = None) -> Seen:
        clock = self.node.clock
        line = self._lines.get(move.provider) or self._line(move.provider)
        n = self.node.collector.send(prompt, move.provider)
        ask = line.form.fill(self._encoded(line.form), prompt.id, n)
        start = clock.now()
        try:
            sight = attempt(line.connection, ask, clock, move.at + move.timeout, token)
        except GreenletExit:
            self.told(prompt, n, AttemptObservation("unfinished", start, clock.now()), line.url)
            raise
        self.told(prompt, n, sight, line.url)
        return _seen(sight, move.provider)

    def _line(self, provider: str) -> Line:
        place = self.node.cast.endpoints[provider]
        url = URL(place.url + "/")
        filled = form(place.dialect, url.path.rstrip("/"), self.key, self.group_name, stream=self.spec.stream)
        connection = self.client.client.clientpool.get_client(url)
        line = self._lines[provider] = Line(connection, filled, f"{place.url}{filled.dialect.path}")
        return line

    def _encoded(self, ask: Form) -> bytes:
        """The body; the last one again when it says the same to the same dialect."""
        wanted = (ask.dialect, self.body())
        if self._last[0] != wanted:
            self._last = (wanted, ask.encode(wanted[1]))
        return self._last[1]

    def told(self, prompt: Pending, n: int, sight: AttemptObservation, url: str) -> None:
        """An attempt is over: into the journal, and into Locust's tables."""
        self.node.collector.seen(prompt, n, sight)
        self._report(sight, url)

    @property
    def key(self) -> str:
        """The API key this user shows."""
        return self.api_key or self.who.key

    def _report(self, sight: AttemptObservation, url: str) -> None:
        """One event for each attempt, at its end, in wall milliseconds, as Locust's own tables have it."""
        clock, environment = self.node.clock, self.environment
        kind = "STREAM" if self.spec.stream else "POST"
        environment.events.request.fire(
            request_type=kind,
            name=self._row(url),
            response_time=clock.wall(sight.end - sight.start) * 1000,
            response_length=sight.length,
            exception=None if sight.outcome == "ok" else Failed(_label(sight)),
            start_time=clock.at(sight.start),
            context={"group": self.group_name, "tier": self.who.tier, "outcome": sight.outcome},
            response=None,
            url=url,
        )
        if sight.first_token is not None:  # a row of its own, not in the totals; it merges across workers
            environment.stats.get(f"{self.group_name}: first token", kind).log(clock.wall(sight.first_token) * 1000, 0)

    def _row(self, url: str) -> str:
        """What Locust's table calls it."""
        if url not in self._rows:
            self._rows[url] = f"{self.group_name}: {urlsplit(url).path}"
        return self._rows[url]

    def _think(self) -> float:
        return self._rng.expovariate(1 / self.spec.think) if self.spec.think else 0.0


def _seen(sight: AttemptObservation, provider: str) -> Seen:
    return Seen(
        outcome=sight.outcome,
        provider=provider,
        started=sight.start,
        status=sight.status,
        retry_after=sight.retry_after,
        should_retry=sight.should_retry,
        streamed=sight.tokens > 0,
    )


def _label(sight: AttemptObservation) -> str:
    return f"{sight.outcome} {sight.status}" if sight.outcome == "http_error" else sight.outcome

"""A simulated user: thinks, asks, waits, retries as its policy decides, and goes on when its prompt is settled.

`ChatUser` is the class that a locustfile inherits to get mockbot's measurements. Its policy decides; this module only
waits and sends. Every prompt has an intended start, and latency counts from there: a late start lengthens the answer,
so that a slow generator or a busy user cannot hide a slow service (coordinated omission).
"""

from dataclasses import dataclass
from functools import partial
from random import Random
from socket import SocketType
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

from mockbot.clients.policy import KEEP_ALIVE, AttemptResult, ClientPolicy, Decision, GiveUp, Send
from mockbot.dialects.dialect import Body
from mockbot.dialects.prompt_identity import TRACE_HEADER, identity_of, traceparent
from mockbot.evidence.records import Settled
from mockbot.load.collector import AttemptObservation, Pending
from mockbot.load.hedging import hedged_attempt
from mockbot.load.load_generator import no_status_page
from mockbot.load.measured_user import MeasuredUser
from mockbot.load.recorder import GeneratorError, RequestTemplate, attempt, is_alive, trusting
from mockbot.load.system_client import Answer, Asked, answer_of, observed_exchange, outgoing_to
from mockbot.scenario.policies import Informed
from mockbot.testbed.system.names import filled
from mockbot.testbed.system.system_file import System

QUESTION = "When will it be back?"


class Failed(Exception):  # noqa: N818 - what happened to an attempt, not an error of ours
    """A failed attempt in Locust's failures table, which prints `repr`: only the outcome, without a class name."""

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class ProviderConnection:
    """How one user reaches one provider."""

    client: HTTPClient
    template: RequestTemplate
    url: str


class ChatUser(MeasuredUser, FastHttpUser):
    """A member of a group. Subclasses may set the class variables, override `body`, or have tasks that call `ask`."""

    abstract = True
    network_timeout = None  # type: ignore[assignment]  # one deadline over the whole attempt instead; see recorder.py
    connection_timeout = None  # type: ignore[assignment]
    model: ClassVar[str] = "mockbot"
    api_key: ClassVar[str | None] = None  # None: a key of the user's own, by which mockbot's service knows the tier

    def __init__(self, environment: Environment) -> None:
        self.host = self.host or next(iter(self.generator.plan.endpoints.values())).url
        if authority := self.generator.plan.authority:
            self.insecure = False
            self.ssl_context_factory = lambda cafile=None: trusting(authority)  # noqa: ARG005 - of the library
        super().__init__(environment)
        self.identity = self.generator.new_user(self.group_name)
        self._policy: ClientPolicy = self.generator.policy(self.identity)
        self._rng: Random = self.generator.rng(self.identity, "think")
        self._due = max(0.0, self.generator.clock.now()) + self._think()
        self._status = self.generator.status if isinstance(self.spec.policy, Informed) else no_status_page
        self._connections: dict[str, ProviderConnection] = {}
        self._idle_since: dict[str, float] = {}  # provider -> the end of the latest attempt there
        self._encoded: tuple[object, tuple[str, bytes]] = (None, ("", b""))

    def body(self) -> Body:
        """The request body as OpenAI has it, without `stream`; the provider's dialect makes its own of it."""
        return {"model": self.model, "messages": [{"role": "user", "content": QUESTION}]}

    def exchange(self, asked: Asked) -> Answer:
        """Override this to ask a system under test in a way that its file cannot say: GraphQL, websockets, gRPC.

        Blocking; ended after `asked.timeout`. An OSError (of sockets, requests, urllib) is a failed attempt.
        """
        raise NotImplementedError

    def __init_subclass__(cls) -> None:
        """A task of a subclass replaces `converse`, which Locust would call beside it."""
        super().__init_subclass__()
        cls.tasks = [each for each in cls.tasks if each is not ChatUser.converse] or cls.tasks

    @task
    def converse(self) -> None:
        """The closed loop: think, then ask."""
        self.generator.wait_until(self._due)
        away: float | None = None
        try:
            away = self.ask(self._due)
        finally:  # also after a GeneratorError, or Locust would call this task again at once, for ever
            self._due = self.generator.clock.now() + (self._think() if away is None else away)

    def ask(self, intended: float | None = None) -> float | None:
        """One prompt, from its start to its settlement, due at scenario second `intended` (default: now).

        Returns how long the user stays away, None for its usual think time. Raises StopUser when the run is over.
        """
        due = self.generator.clock.now() if intended is None else intended
        if self.leaving or not self.generator.admits(due):
            raise StopUser
        greenlet = gevent.getcurrent()
        self.generator.asking[greenlet] = None
        prompt = self.generator.collector.begin_prompt(self.identity, due)
        settled: Settled = "unfinished"
        try:
            end = self._run_prompt(prompt)
            settled = "gave_up" if end else "answered"
        except GeneratorError as error:
            self.generator.broken = str(error)
            raise
        finally:
            self.generator.collector.settle(prompt, settled)
            del self.generator.asking[greenlet]
        if self.leaving:
            raise StopUser
        return end.away if end else None

    def run_session(self, due: float) -> None:
        """The session of a user that arrived at `due`: prompts with thinking in between, `spec.session` on average.

        The number is geometric: after each prompt the session goes on with probability 1 - 1/`spec.session`. Raises
        StopUser when the run is over.
        """
        rng = None if self.spec.session == 1 else self.generator.rng(self.identity, "session")
        away = self.ask(due)
        while rng is not None and rng.random() * self.spec.session >= 1:
            due = self.generator.clock.now() + (self._think() if away is None else away)
            self.generator.wait_until(due)
            away = self.ask(due)

    def on_stop(self) -> None:
        """Close the connections."""
        self.client.client.clientpool.close()

    @property
    def key(self) -> str:
        """The API key this user sends."""
        return self.api_key or self.identity.key

    def record_attempt(self, prompt: Pending, n: int, observed: AttemptObservation, url: str) -> None:
        """An attempt is over: write it to the journal and to Locust's tables, there in wall milliseconds."""
        self.generator.collector.end_attempt(prompt, n, observed)
        clock, environment = self.generator.clock, self.environment
        kind = "STREAM" if self.spec.stream else "POST"
        label = f"http_error {observed.status}" if observed.outcome == "http_error" else observed.outcome
        environment.events.request.fire(
            request_type=kind,
            name=f"{self.group_name}: {urlsplit(url).path}",
            response_time=clock.wall(observed.end - observed.start) * 1000,
            response_length=observed.length,
            exception=None if observed.outcome == "ok" else Failed(label),
            start_time=clock.at(observed.start),
            context={"group": self.group_name, "tier": self.identity.tier, "outcome": observed.outcome},
            response=None,
            url=url,
        )
        if observed.first_token is not None:  # a row of its own, not in the totals; it merges across workers
            first_token = clock.wall(observed.first_token) * 1000
            environment.stats.get(f"{self.group_name}: first token", kind).log(first_token, 0)

    def _run_prompt(self, prompt: Pending) -> GiveUp | None:
        """Do what the policy decides until an answer comes (None) or the policy gives up."""
        clock, policy, status = self.generator.clock, self._policy, self._status
        decision: Decision = policy.begin(clock.now(), status())
        while isinstance(decision, Send):
            if decision.at > clock.now():
                self.generator.wait_until(decision.at)
                decision = policy.due(max(clock.now(), decision.at), decision, status())
                continue
            if decision.hedge_after is None:
                result = self._send(prompt, decision)
            else:
                result = hedged_attempt(self.generator, policy, partial(self._send, prompt), decision)
            if result.outcome == "ok":
                policy.succeeded(clock.now(), result)
                return None
            decision = policy.after(clock.now(), result, status())
        self.generator.wait_until(decision.at)
        return decision

    def _send(self, prompt: Pending, decision: Send, first_token: Event | None = None) -> AttemptResult:
        clock, provider = self.generator.clock, decision.provider
        connection = self._connections.get(provider) or self._connect(provider)
        wanted = (connection.template.family.name, self.body())
        if self._encoded[0] != wanted:  # most users always ask the same, so the JSON is kept
            self._encoded = (wanted, connection.template.encode(wanted[1]))
        # Registered before anything is sent: an attempt that never returns must still be in the journal.
        n = self.generator.collector.begin_attempt(prompt, provider)
        start, until = clock.now(), decision.at + decision.timeout
        try:
            if self.generator.plan.system is not None:
                observed = self._ask_system(self.generator.plan.system, connection, prompt, n, until, first_token)
            else:
                traced = ""
                if self.generator.plan.traced:
                    traced = f"{TRACE_HEADER}: {traceparent(prompt.id, self.generator.plan.run, n)}\r\n"
                outgoing = connection.template.outgoing(self._encoded[1], prompt.id, n, traced)
                observed = attempt(connection.client, outgoing, clock, until, first_token)
        except GreenletExit:
            unfinished = AttemptObservation("unfinished", start, clock.now())
            self.record_attempt(prompt, n, unfinished, connection.url)
            raise
        self._idle_since[provider] = observed.end
        self.record_attempt(prompt, n, observed, connection.url)
        return AttemptResult(
            outcome=observed.outcome,
            provider=provider,
            started=observed.start,
            status=observed.status,
            retry_after=observed.retry_after,
            should_retry=observed.should_retry,
            streamed=observed.tokens > 0,
        )

    def _ask_system(
        self, system: System, connection: ProviderConnection, prompt: Pending, n: int, until: float,
        first_token: Event | None,
    ) -> AttemptObservation:  # fmt: skip
        plan, clock, user = self.generator.plan, self.generator.clock, self.identity
        identity = identity_of(prompt.id, plan.run)
        asked = Asked(
            text=identity.marked(QUESTION),
            headers=identity.headers(n),
            url=str(system.url),
            key=self.api_key or filled(system.key, {"user": user.user, "group": user.group, "tier": user.tier}),
            user=user.user,
            group=user.group,
            timeout=clock.wall(until - clock.now()),
        )
        if type(self).exchange is not ChatUser.exchange:
            seen, degraded = observed_exchange(self.exchange, asked, clock, until)
        else:
            prefix = urlsplit(asked.url).path
            outgoing = outgoing_to(system, prefix, asked, self.body(), identity, stream=self.spec.stream)
            seen = attempt(connection.client, outgoing, clock, until, first_token)
            degraded = system.ask is not None and system.ask.degraded(seen.status or 0, seen.text)
        self.generator.collector.record_answer(answer_of(prompt.id, n, identity, seen, degraded=degraded))
        return seen

    def _connect(self, provider: str) -> ProviderConnection:
        endpoint = self.generator.plan.endpoints[provider]
        url = URL(endpoint.url + "/")
        prefix = url.path.rstrip("/")
        template = RequestTemplate.of(endpoint.dialect, prefix, self.key, self.group_name, stream=self.spec.stream)
        client = self.client.client.clientpool.get_client(url)

        def is_kept(connection: SocketType | None) -> bool:
            """Those over the run's own TLS expire, or no user would ever meet a fault of the handshake."""
            idle = self.generator.clock.now() - self._idle_since.get(provider, 0.0)
            return is_alive(connection) and (not self.generator.plan.authority or idle <= KEEP_ALIVE)

        client._connection_pool._is_socket_alive = is_kept  # type: ignore[method-assign,assignment]
        system = self.generator.plan.system
        if system is None:
            template = template.ready(client)
        if system is None or system.ask is None:
            path = template.family.path_of(self.body(), self.spec.stream)
        else:
            path = system.ask.request.path
        connection = ProviderConnection(client, template, f"{endpoint.url}{path}")
        self._connections[provider] = connection
        return connection

    def _think(self) -> float:
        return self._rng.expovariate(1 / self.spec.think) if self.spec.think else 0.0

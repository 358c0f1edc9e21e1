"""The records of a run: a line of JSON each, in scenario seconds. Read and written by `mockbot.runs.journal_files`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import ConfigDict

from mockbot.evidence.system_records import SystemAnswer

Outcome = Literal[
    "ok",
    "http_error",  # a status >= 400 other than 429; see `status`
    "rate_limited",  # 429
    "refused",  # the connection was refused: no process listens on the port
    "tls_error",  # the TLS handshake failed: a certificate that the client does not trust, or an alert
    # A connection that ended before the answer was complete at the HTTP level:
    "reset",  # by RST
    "closed",  # by FIN: without the chunk that ends the body, or with fewer bytes than Content-Length says
    "timeout",  # the attempt's timeout expired before the first token
    "slow",  # the attempt's timeout expired after the first token
    "truncated",  # a body that ended as HTTP wants it, without finish_reason or [DONE]
    "error_event",  # an error inside a stream that began with 200
    "malformed",  # an answer that does not follow the API's schema
    "blank",  # 200 with an empty text
    "unfinished",  # still running when the run ended
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

# How a prompt ended. gave_up: by the policy or the user's patience; unfinished: by the end of the run.
Settled = Literal["answered", "gave_up", "unfinished"]


# How pydantic reads the records of a file: a text, a boolean, NaN and the infinities are no numbers.
_STRICT = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request made for a prompt. Times in scenario seconds; `first_token`, `worst_gap` are durations."""

    __pydantic_config__ = _STRICT
    prompt: str
    n: int  # 0 is the first attempt
    group: str
    provider: str
    start: float
    end: float
    outcome: Outcome
    status: int | None = None
    first_token: float | None = None
    worst_gap: float | None = None  # the longest silence between two tokens
    tokens: int = 0
    retry_after: float | None = None  # the server's Retry-After, scenario seconds
    kind: Literal["attempt"] = "attempt"
    may_retry: str | None = None  # an earlier, failed prompt of which this one may be a retry; written only when known
    code: str | None = None  # of a 429 that no retry can cure; written only when known


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question of a user. `intended` is when it should have been sent: latencies count from there."""

    __pydantic_config__ = _STRICT
    id: str
    user: str
    group: str
    tier: str
    intended: float
    start: float
    end: float
    settled: Settled
    attempts: int
    provider: str | None = None  # of the answer
    first_token: float | None = None  # from `intended`
    kind: Literal["prompt"] = "prompt"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as a provider saw it: the record of clients that keep no journal of their own.

    Times in scenario seconds. Wire faults that damaged the answer on its way to the client are not visible here.
    """

    number: int  # in the order of arrival, over all providers
    provider: str
    path: str
    key: str  # an API key of mockbot's own, the fingerprint of another one, or the address of a client without a key
    body: str  # fingerprint of what the request asks, without times of day
    start: float
    end: float
    outcome: Outcome
    status: int | None = None
    first_token: float | None = None  # a duration
    retry_after: float | None = None  # in the answer, scenario seconds
    prompt: str | None = None  # x-mockbot-prompt
    retry: int | None = None  # the number of an SDK's retry, as its header says, 0 for a first attempt
    port: int = 0  # of its connection
    shape: str = ""  # fingerprint of the body without anything that has a digit
    trace: str | None = None  # the trace id of its `traceparent`
    parent: str | None = None  # the span id of the same; written only when there is one
    mark: str | None = None  # the last mark in its last user message (mockbot.dialects.prompt_identity)
    wrote: str | None = None  # how its answer's text names it (mockbot.dialects.identified_text)
    streamed: bool = False
    code: str | None = None  # of a 429 that no retry can cure
    replica: int | None = None  # that got it, from 1, where its provider has replicas


@dataclass(frozen=True, slots=True)
class ServiceSecond:
    """The counters of one provider for one scenario second [t, t+1). Counts of requests; slot-seconds of work."""

    __pydantic_config__ = _STRICT
    t: int
    provider: str
    offered: int = 0
    admitted: int = 0
    refused: int = 0  # by limits, queue or shedding
    failed: int = 0  # by a fault
    finished: int = 0
    abandoned: int = 0  # the client had disconnected
    running: int = 0  # at the end of the second
    queued: int = 0  # at the end of the second
    work: float = 0.0  # slot-seconds spent
    wasted: float = 0.0  # of these, for clients that had disconnected
    capacity: float = 0.0  # slots
    felt: dict[str, int] = field(default_factory=dict)  # fault id -> requests it hit
    unserved: dict[str, int] = field(default_factory=dict)  # mockbot.evidence.unserved -> requests that asked for it


WAY_TO = "way to "  # a provider: what looks at the clients' way there are called


@dataclass(frozen=True, slots=True)
class Action:
    """One change that the driver made or tried: when it was due, sent and confirmed (scenario seconds)."""

    __pydantic_config__ = _STRICT
    fault: str  # FaultSpan.id, or "status_page"; of a look: "service", "proxy", "driver", WAY_TO and a provider …
    does: Literal["begin", "change", "end", "look"]  # look: one at service or proxy that failed or took long
    due: float
    sent: float
    confirmed: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How well the load generator and the machine kept up; wall seconds, and shares of one core."""

    __pydantic_config__ = _STRICT
    t: float
    node: str  # "local", "master" or a worker's id
    lag_p99: float  # how late prompts were sent, wall seconds, worst node
    loop_lag_p99: float
    cpu: float  # of the generating process, 1.0 = one core
    machine_cpu: float  # of all cores, 0..1
    users: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """A snapshot of a running outage, for the live view; two per wall second. Rates are per scenario second."""

    __pydantic_config__ = _STRICT
    t: float
    phase: str
    wrong: tuple[str, ...]  # ids of the active faults
    users: int
    pending: int  # prompts started and not settled
    prompts_per_s: float
    # Of the prompts that were settled in the last one or two wall seconds, or are older than the slo and not settled:
    good: float | None  # share that was answered within the slo; None when there were none
    latency_p50: float | None  # from `intended`; None also when half of them were not answered
    failures: dict[str, int] = field(default_factory=dict)  # outcome -> attempts in the same window
    overdue: dict[int, int] = field(default_factory=dict)  # second of `intended` -> prompts older than the slo


Ended = Literal["completed", "interrupted", "lost_worker", "failed"]
Engine = Literal["embedded", "toxiproxy", "none"]  # of the proxy


@dataclass(frozen=True, slots=True)
class Interception:
    """What the forward proxy and the TLS servers saw: CONNECT requests by host, of intercepted hosts and of others;
    handshakes that clients ended because they do not trust the run's CA; CONNECTs of other users, which were refused.
    """

    __pydantic_config__ = _STRICT
    connects: dict[str, int] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    distrusted: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class ClockReading:
    """How far the master's monotonic clock is ahead of a worker's: `offset` wall seconds, wrong by `within` at most."""

    __pydantic_config__ = _STRICT
    offset: float
    within: float


@dataclass(frozen=True, slots=True)
class WorkerClock:
    """A worker on another machine: by what its times were moved to the master's clock, and what was true at the end.

    `used` None: there was no reading when the load began, and the wall clocks had to do. `last` None: it was lost.
    """

    __pydantic_config__ = _STRICT
    node: str
    used: ClockReading | None
    last: ClockReading | None


@dataclass(frozen=True, slots=True)
class RunInfo:
    """How a run was made and how it ended; `run.json`. Times of the run are scenario seconds; `t0` is Unix time."""

    __pydantic_config__ = _STRICT
    scenario: str
    speed: float
    t0: float | None  # None: the load never started
    ended: Ended
    end: float  # scenario second at which the load stopped
    engine: Engine
    nodes: int = 1  # processes that generated load
    lost_nodes: int = 0
    seed: int = 1
    why: str = ""  # the reason, in words, when `ended` is not "completed"
    versions: dict[str, str] = field(default_factory=dict)
    simulated: bool = False
    loop: Literal["closed", "open", "partly open"] = "closed"
    command: str = ""
    scaled: str = ""  # in words: what a simulated run multiplied
    weight: int = 1  # users that each one in the journal represents
    client: Literal["crowd", "command"] = "crowd"  # command: the user's own program; only its requests are recorded
    exit_code: int | None = None  # of that program; None when mockbot stopped it, or it has none
    allowed: tuple[str, ...] = ()  # anti-patterns that must not fail the run
    system: str = ""  # the name of the system under test between crowd and providers
    system_exits: tuple[tuple[float, int], ...] = ()  # when it ended by itself, and with what code
    shortened: str = ""  # in words: from what length to what
    elsewhere: tuple[str, ...] = ()  # variables of the client's environment that lead to providers outside
    added_latency: float | None = None  # wall seconds that the testbed adds to a latency; None: not measured
    added_first_token: float | None = None  # and to the time to a first token; None: as to a latency
    intercepted: Interception | None = None  # None: its client was led by base URLs
    clocks: tuple[WorkerClock, ...] = ()  # of the workers on other machines
    records: dict[str, int] | None = None  # of each of KINDS, how many were written; None: the run was not signed off


Record = Attempt | Prompt | SystemAnswer | Request | ServiceSecond | Action | Health | Progress
KINDS: Mapping[type[Record], str] = {
    Attempt: "attempts", Prompt: "prompts", ServiceSecond: "service seconds", Action: "actions",
    Health: "health samples", Progress: "progress snapshots", SystemAnswer: "answers of the system",
    Request: "requests to providers",
}  # fmt: skip

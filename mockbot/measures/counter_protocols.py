"""What formulas read: the counters of one scope and of its run. `mockbot.evidence` counts them. Pure.

In the scope of a provider the attempts are counted in place of the prompts, because a prompt may visit several. Times
are scenario seconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mockbot.measures.scope import Scope
from mockbot.measures.values import Undefined


@dataclass(frozen=True, slots=True)
class Disturbance:
    """From the begin of the first outage to the clear of the last, scenario seconds; None when nothing went wrong.

    `baseline` is the calm before it, None without one.
    """

    begin: float | None
    clear: float | None
    baseline: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which something was wrong that could reach a group, scenario seconds.

    `until`: the begin of the group's next outage, or the end of the scenario. `causes`: ids of faults, and names of the
    phases of a surge. `acknowledged`: when a status page first admitted it, None when it did not before `until`.
    """

    begin: float
    clear: float
    until: float
    causes: tuple[str, ...]
    acknowledged: float | None


@dataclass(frozen=True, slots=True)
class Slices:
    """Prompts by slice of time. `width`: seconds; `baseline`: its first whole slice, and the one after the last."""

    width: int
    issued: Sequence[int]
    good: Sequence[int]
    baseline: tuple[int, int] | None


class Durations(Protocol):
    """A multiset of durations; one that never ended is longer than all others, and its quantile infinite."""

    def __len__(self) -> int: ...
    def quantile(self, q: float) -> float | None: ...
    def share_within(self, seconds: float) -> float: ...


class Cohort(Protocol):
    """The prompts that were intended in the scope. `sent`: attempts by their start; `good_done`: by completion."""

    prompts: int
    answered: int
    good: int  # answered within the slo of the intended start
    satisfied: int  # answered within a quarter of it
    attempts: int  # made for these prompts, whenever
    sent: int
    good_done: int
    up: int  # microseconds of users' time
    down: int

    @property
    def latency(self) -> Durations: ...  # of all prompts; the unanswered never ended
    @property
    def answered_latency(self) -> Durations: ...
    @property
    def failure(self) -> Durations: ...  # how long the unanswered took
    @property
    def first_token(self) -> Durations: ...


class Aftermath(Protocol):
    """What became of one outage's prompts."""

    first_failure: float  # when the first failure after the begin was seen; infinite when there was none
    first_success: float  # when the first prompt issued after the clear was answered well
    answered: int  # of the prompts issued during the outage
    gave_up: int
    unacknowledged: int  # microseconds in which users were down and no status page had admitted it

    @property
    def settled(self) -> Durations: ...  # of the prompts issued during the outage: from the clear to their end


class CourseOfPrompts(Protocol):
    """Prompts by the whole second of the run in which they were issued, and what became of those of each outage."""

    issued: Counter[int]
    good: Counter[int]
    complaints: Counter[int]  # by the second in which they were made

    def of_outage(self, index: int) -> Aftermath: ...


class Part(Protocol):
    """A group of the scope, or the attempts at its provider: the outages that it had, and how it went through them."""

    @property
    def name(self) -> str: ...  # of the group or the provider
    @property
    def outages(self) -> Sequence[Outage]: ...
    @property
    def course(self) -> CourseOfPrompts: ...


class Work(Protocol):
    """Sums over the seconds of providers, in slot-seconds. `seconds`: how many there were."""

    seconds: int
    work: float
    wasted: float
    capacity: float


class Outages(Protocol):
    """`failed`: users with a prompt that was never answered; `longest`: of each user who was ever down."""

    users: int
    failed: int

    @property
    def longest(self) -> Durations: ...


class SystemCounts(Protocol):
    """Prompts that went through a system under test, joined with the requests that providers got for them."""

    prompts: int
    laundered: int  # prompts whose answer was short and claimed to be whole
    canned: int  # prompts whose answer no provider wrote
    failed_first: int  # prompts whose first request failed
    saved: int  # of these, answered in full
    upstream: int  # requests that providers got
    upstream_ok: int
    orphaned: int  # requests that ran on after their user had left

    def added(self, first_token: bool) -> Sequence[float]: ...  # seconds that a prompt took beside its provider, calm
    def fail_over_times(self) -> Sequence[float]: ...  # of each outage that failed a request; infinite: it never did
    def first_returns(self) -> Sequence[float]: ...  # negative: the run ended so long after the clear, without one
    def last_detours(self) -> Sequence[float]: ...


class Run(Protocol):
    """The whole run. `weight`: users that each recorded one stands for."""

    weight: int
    disturbance: Disturbance
    observed_until: float
    objective: float | None
    has_faults: bool
    has_status_page: bool
    complains: bool  # whether users of any group complain in public

    def service_time(self) -> float | None: ...  # slot-seconds per answer in the baseline
    def calm_slots(self) -> int: ...  # of the providers that were asked in the baseline
    def load_at(self, t: float) -> float: ...  # prompts per second that the crowd would send if all were well
    def crowd_at(self, t: float, group: str | None) -> float: ...  # users or arrivals of a group, or of all


class Counters(Protocol):
    """The counters of one scope, summed up. `seconds`: for how long the scope was observed."""

    @property
    def scope(self) -> Scope: ...
    @property
    def run(self) -> Run: ...
    @property
    def cohort(self) -> Cohort: ...
    @property
    def work(self) -> Work: ...
    @property
    def seconds(self) -> float: ...
    def by_group(self) -> Sequence[Cohort]: ...
    def parts(self) -> Sequence[Part]: ...
    def outages(self) -> Outages: ...
    def slices(self) -> Slices: ...
    def system(self) -> SystemCounts | Undefined: ...
    def peaks(self) -> Sequence[tuple[int, int]]: ...  # (most requests in a second after a clear, slots)

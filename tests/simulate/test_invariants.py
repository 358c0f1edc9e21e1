"""What holds in every run of either engine, whatever the scenario: checked on scenarios that hypothesis makes up.

Times in a journal are rounded to 0.1 ms, so a moment within NEAR of the end of a second may belong to either side.
"""

from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.faults import KINDS
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.engines import Engine, start
from mockbot.simulate.fast.refusals import PLAYED, refusals
from mockbot.simulate.simulation import Memory

NEAR = 1e-3

POLICIES: list[Any] = [
    {"name": "once", "timeout": "4s"},
    {"name": "fixed", "attempts": 3, "wait": 0, "timeout": "2s"},
    {"name": "backoff", "attempts": 5, "timeout": "6s"},
    {"name": "sdk", "timeout": "3s"},
    {"name": "refresh", "every": "3s"},
    {"name": "refresh", "timeout": "5s"},
]
GUARDED: list[Any] = [
    {"name": "backoff", "budget": "grpc", "breaker": "consecutive"},
    {"name": "once", "timeout": "10s", "hedge": "500ms"},
    "openai-python",
    "informed",
]
FAULTS: list[Any] = [
    {"http_error": 503, "share": "40%"},
    {"http_error": {"status": 429, "retry_after": "2s"}, "keys": "50%"},
    {"maintenance": True},
    {"crash": {"warm_up": "5s"}, "at": "2s", "lasts": "6s"},
    {"shed": {"admit": {"free": "20% -> 90%"}}},
    {"capacity": "100% -> 0%"},
    {"capacity": "30%", "flap": {"period": "4s"}},
    {"slow": {"factor": 3, "first_token": "1s"}, "share": "50%"},
    {"down": True, "lasts": "5s"},
]
BROKEN: list[Any] = [
    {"latency": "700ms"},
    {"reset_peer": "500ms", "share": "50%"},
    {"timeout": 0, "share": "30%"},
    {"cut": "reset", "share": "50%"},
    {"stall": "nothing", "share": "30%"},
    {"malformed_event": 3},
    {"error_event": "server_error", "share": "50%"},
    {"tls": "expired", "share": "50%"},
]


@st.composite
def worlds(draw: st.DrawFn, engine: Engine) -> Scenario:
    """A provider, one or two groups, three phases with ramps and faults: everything that this engine can play."""
    all_ = engine == "reference"

    def pick(*choices: Any) -> Any:
        return draw(st.sampled_from(choices))

    queue: dict[str, Any] = {"limit": pick(0, 3, 20, 1000)}
    answer = {
        "first_token": pick(0, "500ms"),
        "tokens": {"median": 10, "p95": pick(10, 30)},
        "pace": pick("5/s", "20/s"),
    }
    provider: dict[str, Any] = {"slots": pick(1, 3, 10), "queue": queue, "answer": answer}
    provider["abandoned_work"] = pick("continues", "leaves_queue", *["stops"] * all_)
    if draw(st.booleans()):
        provider["limits"] = {"free": pick("6/m", "30/m")}
    if all_ and draw(st.booleans()):
        queue |= {"order": pick("fifo", "lifo"), "max_wait": pick(None, "2s")}
        provider |= {"refusal_cost": pick(0, "100ms")}
        answer |= {"slowdown_from": pick(None, 2)}
        provider |= {"replicas": pick(1, 3)}
    policies = [*POLICIES, *(GUARDED if all_ else ())]

    def group(loop: str, share: str) -> dict[str, Any]:
        words = {loop: share, "policy": pick(*policies), "think": pick("1s", "6s"), "patience": pick("3s", "20s", "2m")}
        return words | {"stream": draw(st.booleans()), "comes_back": pick(None, "5s")}

    crowd = {"all": group("users", "100%")}
    if draw(st.booleans()):
        crowd["visitors"] = group("arrivals", "100%")
    faults = [*FAULTS, *(BROKEN if all_ else ())]
    chosen = {next(iter(fault)): fault for fault in draw(st.lists(st.sampled_from(faults), max_size=3))}
    phases: list[dict[str, Any]] = [
        {"name": "calm", "lasts": "9s", "users": pick(1, 8, "1 -> 12")},
        {"name": "bad", "lasts": pick("12s", "17.3s"), "faults": list(chosen.values())},
        {"name": "after", "lasts": "15s", "users": pick(2, "8 -> 0")},
    ]
    for phase in phases if "visitors" in crowd else ():
        phase["arrivals"] = pick("1/s", "0/s -> 6/s")
    words = {"name": "w", "title": "w", "providers": {"main": provider}, "crowd": crowd, "phases": phases}
    return Scenario.model_validate(words)


class Run:
    """One run and its records."""

    def __init__(self, engine: Engine, world: Scenario, seed: int) -> None:
        memory = Memory()
        run = start(engine, world, seed, memory.take)
        while run.play(run.now + 7.7):
            pass
        self.end, self.world = run.finish(), world
        self.attempts = [each for each in memory.requests if isinstance(each, Attempt)]
        self.prompts = [each for each in memory.requests if isinstance(each, Prompt)]
        self.seconds: list[ServiceSecond] = memory.seconds
        effects = [span.fault.effect() for span in Timeline(world).faults]
        self.kinds = {span.fault.kind for span in Timeline(world).faults}
        self.clean = all(isinstance(effect, PLAYED) for effect in effects)  # nothing but the provider delays an answer
        self.continues = world.providers["main"].abandoned_work == "continues"

    def before(self, what: str, second: int) -> int:
        """A counter of the service, up to the end of this second."""
        return sum(getattr(each, what) for each in self.seconds[: second + 1])

    def ended(self, second: int, *outcomes: str) -> tuple[int, int]:
        """At least and at most so many attempts ended so by the end of this second."""
        ends = [attempt.end for attempt in self.attempts if attempt.outcome in outcomes]
        return sum(end < second + 1 - NEAR for end in ends), sum(end < second + 1 + NEAR for end in ends)


def check(run: Run) -> None:
    """All of them."""
    _times(run)
    _users(run)
    _work(run)
    _requests(run)
    if run.clean:
        _counts(run)
        _little(run)


def _times(run: Run) -> None:
    """What ends has begun before, and nothing is later than the run."""
    for attempt in run.attempts:
        assert 0 <= attempt.start <= attempt.end <= run.end + 1e-4
        assert attempt.first_token is None or 0 <= attempt.first_token <= attempt.end - attempt.start + 2e-4
    for prompt in run.prompts:
        assert 0 <= prompt.intended <= prompt.start <= prompt.end <= run.end + 1e-4
    assert [second.t for second in run.seconds] == list(range(int(run.end)))


def _users(run: Run) -> None:
    """A user has one prompt at a time, and a prompt all of its attempts."""
    for earlier, later in pairwise(sorted(run.prompts, key=attrgetter("user", "start", "end"))):
        assert earlier.user != later.user or earlier.end <= later.start + 1e-4
    sent = [attempt.prompt for attempt in run.attempts]
    assert {prompt.id: prompt.attempts for prompt in run.prompts if prompt.attempts} == {
        name: sent.count(name) for name in set(sent)
    }


def _work(run: Run) -> None:
    """Slot-seconds are within 0 and what the slots have, the wasted ones in all; nobody waits by a free slot."""
    for second in run.seconds:
        assert 0 <= second.wasted <= second.work + 1e-9
        assert second.work <= run.world.providers["main"].all_slots + 1e-9
        if run.world.providers["main"].replicas == 1:  # else another replica's slot may be free
            assert second.running >= (second.capacity if second.queued else 0)
        assert 0 <= second.queued <= run.world.providers["main"].queue.limit * run.world.providers["main"].replicas


def _requests(run: Run) -> None:
    """Offered = admitted + refused + failed + those that wait, have left the queue, or were lost in it."""
    each = [second.offered - second.admitted - second.refused - second.failed for second in run.seconds]
    loses = "crash" in run.kinds or not run.continues or run.world.providers["main"].queue.max_wait is not None
    for waiting, second in zip(accumulate(each), run.seconds, strict=True):
        assert waiting >= second.queued if loses else waiting == second.queued


def _counts(run: Run) -> None:
    """What the clients have on record is what the service counted."""
    for second in range(0, int(run.end), 5):
        least, most = run.ended(second, "ok")
        _, dropped = run.ended(second, "unfinished")  # the other answer came first, or at the same moment
        assert least <= run.before("finished", second) <= most + dropped
        least, most = run.ended(second, "http_error", "rate_limited")
        assert least <= run.before("refused", second) + run.before("failed", second) <= most
        least, most = run.ended(second, "timeout", "slow")
        if "down" not in run.kinds and not dropped:
            assert least <= run.before("abandoned", second) <= most


def _little(run: Run) -> None:
    """Little's law, for every stretch of time at once: who is in the service is who has come and not gone."""
    edges = sorted(moment for attempt in run.attempts for moment in (attempt.start, attempt.end))
    for second in run.seconds:
        end = second.t + 1
        if any(abs(moment - end) < NEAR for moment in edges):
            continue
        inside = sum(attempt.start < end < attempt.end for attempt in run.attempts)
        gone = run.before("abandoned", second.t)
        assert inside <= second.running + second.queued <= inside + gone


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_invariants_of_the_reference(data: st.DataObject) -> None:
    """Fifteen scenarios, always the same."""
    check(Run("reference", data.draw(worlds("reference")), 1))


@pytest.mark.second
@pytest.mark.usefixtures("fast_is_compiled")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_invariants_of_the_fast_engine(data: st.DataObject) -> None:
    """Sixty scenarios, always the same."""
    pytest.importorskip("numba")
    world = data.draw(worlds("fast"))
    if found := refusals(world):
        event(str(found))
    else:
        check(Run("fast", world, 1))


@pytest.mark.nightly
@pytest.mark.usefixtures("fast_is_compiled")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("engine", ["reference", "fast"])
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_invariants_of_many_scenarios(engine: Engine, data: st.DataObject, seed: int) -> None:
    """Others every night; the failing one is printed and can be played again."""
    world = data.draw(worlds(engine))
    if engine == "reference" or not refusals(world):
        check(Run(engine, world, seed))


def test_the_scenarios_have_every_fault() -> None:
    """A fault that is added is generated, too; those of the wire that only delay are the reference's own tests."""
    generated = {kind for fault in [*FAULTS, *BROKEN] for kind in fault if kind in KINDS}
    rest = {"rate_limited", "bandwidth", "slicer", "slow_close", "limit_data", "blank_answer", "restart"}

    assert generated | rest == set(KINDS)

"""The policy table of research/metastability.md section 3.2: fifteen clients and servers, two outages (target 16).

C = 40/s, rho = 0.7, q = 20 s of work, T = 10 s, 20 client processes. The surge is three times the load for 30 s; in the
hang no request reaches the service for 60 s, so that every attempt of that time runs into its timeout. (Mockbot's own
`crash` resets connections at once: then a client that tries four times in a second is through with it, and harmless.)
B is as large as A, and its queue is short: 5 s of work.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.measures.values import Beyond, Known, Value
from mockbot.scenario.schema import Scenario
from mockbot.simulate.fast.refusals import refusals
from mockbot.simulate.simulation import Memory, simulate
from tests.simulate.test_laws import ANSWER

pytestmark = [pytest.mark.second, pytest.mark.usefixtures("fast_is_compiled"), pytest.mark.timeout(300)]

RATE, CAPACITY, TIMEOUT = 28.0, 40.0, 10.0
Words = dict[str, Any]
NAIVE: Words = {"name": "fixed", "attempts": 4, "wait": 0}
BACKOFF: Words = {"name": "backoff", "attempts": 4}
LONG: Words = {"slots": 40, "answer": ANSWER | {"pace": "99.37/s"}}
# A prompt whose first attempt finds the queue full is over before its hedge: of lam x attempts/s C are let in, so that
# x = 1 + C/(lam x). (The table's 2.00 tries a refused one again.)
HEDGED = (1 + math.sqrt(1 + 4 * CAPACITY / RATE)) / 2
BREAKER: Words = {"name": "windowed", "failures": "50%", "open_for": "10s", "at_least": 10}


@dataclass(frozen=True)
class Row:
    """One line of the table: who asks and who answers, and whether each outage ends."""

    policy: Words
    surge: bool  # it recovers
    hang: bool
    amplification: float | None = None  # at the end of the surge
    falls_over: bool = False
    server: Words = field(default_factory=dict)
    within: float | None = None  # recovery time after the surge


TABLE: Mapping[str, Row] = {
    "no retry": Row({"name": "once"}, True, True, 1.0),
    "refresh": Row(NAIVE, False, False, 4.0),
    "fixed": Row(NAIVE | {"wait": "1s"}, False, False, 4.0),
    "sdk": Row({"name": "sdk"}, False, False, 3.0),
    "backoff": Row(BACKOFF, False, False, 4.0),
    "budget": Row(BACKOFF | {"budget": "per_success"}, True, True, within=60),
    "breaker": Row(BACKOFF | {"breaker": BREAKER}, True, True, within=60),
    "throttle": Row(BACKOFF | {"throttle": 2.0}, True, True),
    "hedge": Row({"name": "once", "hedge": "3s"}, False, True, HEDGED),
    "retry on b": Row(BACKOFF | {"fail_over": "retry"}, True, True, falls_over=True),
    "breaker to b": Row(
        BACKOFF | {"budget": "per_success", "breaker": BREAKER, "fail_over": "breaker"}, True, True, falls_over=True
    ),
    "short queue": Row(NAIVE, True, True, server={"queue": {"limit": 200}}, within=60),
    # Whoever reaches a slot has waited for nearly T already: what is left of it decides. It is enough for answers of
    # 0.1 s, and the table's "never" is of those that take 1 s, T/10, on ten times as many slots.
    "cancel, short work": Row(NAIVE, True, True, server={"abandoned_work": "stops"}),
    # At the end of this hang all that wait are reset in one moment, and most find the queue full four times running.
    "cancel": Row(NAIVE, False, True, server={"abandoned_work": "stops"} | LONG),
    "lifo": Row(NAIVE, True, True, server={"queue": {"limit": 800, "order": "lifo"}}),
    "wait limit": Row(NAIVE, True, True, server={"queue": {"limit": 800, "max_wait": "5s"}}),
}
LATE = 700  # a client process whose window knows of no success asks once in two minutes
SURGE: Words = {"lasts": "30s", "arrivals": 3 * RATE}
HANG: Words = {"lasts": "60s", "faults": [{"on": "a", "timeout": 0, "stream": "upstream"}]}


def _world(row: Row, bad: Words, after: float) -> Scenario:
    policy = {"processes": 20, "timeout": TIMEOUT} | row.policy
    group: Words = {"arrivals": "100%", "patience": "2m", "policy": policy}
    provider: Words = {"slots": 4, "queue": {"limit": 800}, "answer": ANSWER}
    whole = {
        "name": "world",
        "title": "A world",
        "slo": TIMEOUT,
        "providers": {"a": provider | row.server, "b": provider | {"queue": {"limit": 200}}},
        "crowd": {"all": group | ({"falls_over_to": "b"} if row.falls_over else {})},
        "phases": [
            {"name": "calm", "lasts": "60s", "arrivals": RATE},
            {"name": "bad"} | bad,
            {"name": "after", "lasts": after, "arrivals": RATE},
            {"name": "end", "lasts": "60s"},
        ],
    }
    return Scenario.model_validate(whole)


def _lived(world: Scenario) -> Judgement:
    memory = Memory()
    info = simulate(world, sink=memory.take, engine="reference" if refusals(world) else "fast", seed=1)
    return judge(memory.evidence(world, info))


def _value(judgement: Judgement, measure: str, scope: str = "") -> Value:
    rows = [row for row in judgement.measures if not scope or str(row.scope) == scope]
    return rows[0].values[measure]


@pytest.mark.parametrize("name", TABLE)
def test_what_a_surge_leaves_behind(name: str) -> None:
    """Recovered or stuck as in the table; the stuck ones send all they may."""
    row = TABLE[name]
    seen = _lived(_world(row, SURGE, LATE if name == "throttle" else 200))
    recovery, amplification = _value(seen, "recovery_time"), _value(seen, "attempts_per_prompt", "phase end")
    goodput = _value(seen, "goodput", "phase end")

    assert isinstance(recovery, Known if row.surge else Beyond)
    assert isinstance(goodput, Known)
    assert goodput.number > 0.9 * RATE if row.surge else goodput.number < 0.5 * RATE
    assert isinstance(amplification, Known)
    if row.amplification is not None:
        assert amplification.number == pytest.approx(row.amplification, rel=0.03 if name == "hedge" else 0.01)
    elif row.surge:
        assert amplification.number <= 1.10
    if row.within is not None and isinstance(recovery, Known):
        assert recovery.number <= row.within


@pytest.mark.parametrize("name", TABLE)
def test_what_a_hang_leaves_behind(name: str) -> None:
    """Recovered or stuck as in the table: hedging is harmless here, four attempts are not."""
    row = TABLE[name]
    seen = _lived(_world(row, HANG, LATE if name == "throttle" else 120))
    recovery, goodput = _value(seen, "recovery_time"), _value(seen, "goodput", "phase end")

    assert isinstance(recovery, Known if row.hang else Beyond)
    assert isinstance(goodput, Known)
    assert goodput.number > 0.9 * RATE if row.hang else goodput.number < 0.05 * RATE

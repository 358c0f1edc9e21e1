"""Hand-written journals: a small scenario, records with short names, and the evidence that they make together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.records import KINDS, Action, Attempt, Health, Outcome, Prompt, RunInfo, ServiceSecond, Settled
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope_counters import counters_of
from mockbot.measures.scope import Scope
from mockbot.measures.table import measure_all
from mockbot.measures.values import Value
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline

CALM = {"name": "steady", "lasts": "100s", "users": 50}
OUTAGE = {"name": "blackout", "lasts": "100s", "faults": [{"http_error": 503}]}
AFTER = {"name": "after", "lasts": "200s"}
FAULT = "blackout.0.http_error"


def scenario(**changes: object) -> Scenario:
    """100 s of calm, 100 s of 503, 200 s after; two groups of users; good within 10 s."""
    values = {
        "name": "paper",
        "title": "Worked out on paper",
        "slo": "10s",
        "providers": {"main": {"slots": 10}},
        "crowd": {
            "patient": {"users": "50%", "policy": "backoff", "patience": "60s"},
            "hasty": {"users": "50%", "policy": "refresh", "tier": "plus", "patience": "60s"},
        },
        "phases": [CALM, OUTAGE, AFTER],
        "expect": [{"phase": "steady", "availability": ">= 99%"}],
    }
    return Scenario.model_validate({**values, **changes})


def prompt(
    at: float,
    took: float = 1.0,
    settled: Settled = "answered",
    *,
    name: str = "",
    user: str = "",
    group: str = "patient",
    attempts: int = 1,
    late: float = 0.0,
    first_token: float | None = None,
) -> Prompt:
    """A prompt intended at `at` and settled `took` later; each is a user's only one unless `user` says otherwise."""
    name = name or f"p{at:g}"
    tier = {"patient": "free", "hasty": "plus"}[group]
    provider = "main" if settled == "answered" else None
    return Prompt(
        name, user or name, group, tier, at, at + late, at + took, settled, attempts, provider, first_token=first_token
    )


def attempt(
    at: float,
    took: float = 1.0,
    outcome: Outcome = "ok",
    *,
    of: str = "",
    n: int = 0,
    group: str = "patient",
    provider: str = "main",
    status: int | None = None,
) -> Attempt:
    """An attempt sent at `at`."""
    return Attempt(of or f"p{at:g}", n, group, provider, at, at + took, outcome, status=status)


def actions(*names: str, begin: float = 100.0, end: float = 200.0) -> tuple[Action, ...]:
    """Each fault begun and ended, confirmed at once."""
    return tuple(
        action
        for name in names or (FAULT,)
        for action in (Action(name, "begin", begin, begin, begin), Action(name, "end", end, end, end))
    )


def health(count: int = 20) -> tuple[Health, ...]:
    """A generator that kept up."""
    return tuple(
        Health(20.0 * n, "local", lag_p99=0.002, loop_lag_p99=0.003, cpu=0.3, machine_cpu=0.4) for n in range(count)
    )


def evidence(
    requests: Iterable[Attempt | Prompt | Broken] = (),
    seconds: Sequence[ServiceSecond | Broken] = (),
    *,
    of: Scenario | None = None,
    did: Sequence[Action] | None = None,
    kept_up: Sequence[Health] | None = None,
    **info: object,
) -> RunEvidence:
    """A completed run at speed 1 in which everything was applied as planned, unless told otherwise."""
    told = of or scenario()
    lines = tuple(requests)
    timeline = Timeline(told)
    did, kept_up = tuple(actions() if did is None else did), tuple(health() if kept_up is None else kept_up)
    written = Counter(KINDS[type(each)] for each in (*lines, *seconds, *did, *kept_up) if not isinstance(each, Broken))
    run = RunInfo(
        told.name,
        1.0,
        t0=0.0,
        ended="completed",
        end=timeline.end,
        engine="embedded",
        records=dict(sorted(written.items())),
    )
    return RunEvidence(
        info=replace(run, **info),  # type: ignore[arg-type]
        scenario=told,
        timeline=timeline,
        requests=lambda: iter(lines),
        seconds=lambda: iter(seconds),
        actions=did,
        health=kept_up,
        folder=Path("run"),
    )


def measured(run: RunCounters, scope: Scope) -> Mapping[str, Value]:
    """All measures of one scope."""
    return measure_all(counters_of(run, scope))


def steady(start: float, end: float, each: float = 0.5, **how: object) -> list[Prompt]:
    """One prompt every `each` seconds."""
    count = round((end - start) / each)
    return [prompt(start + n * each, **how) for n in range(count)]  # type: ignore[arg-type]


FELT = (ServiceSecond(150, "main", felt={FAULT: 9}),)


def sound_run() -> list[Prompt]:
    """Two prompts a second throughout: answered in 1 s, given up after 5 s in the blackout."""
    return [*steady(0, 100), *steady(100, 200, took=5.0, settled="gave_up", attempts=3), *steady(200, 400)]


FAILED_CHECK = f"felt {FAULT}"  # of a sound run without FELT

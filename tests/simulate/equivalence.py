"""Are the engines one model? A combination of client and fault in; the fast engine's difference from the reference out.

`python -m tests.simulate.equivalence [NAME ...]` plays all combinations, or those whose names contain one of these, on
all cores, and prints a line for each. Differences are shares of the reference's mean, with their 95 % intervals.

- Two one-sided tests (Schuirmann 1987): the engines are *equivalent* when a difference of MARGIN or more, either way,
  is refuted. That no difference was found would prove nothing.
- Seeds are added until every interval's half is HALF, from FEWEST to MOST of them. A crowd whose runs differ too much
  for that is played LARGER, because chance fades with its size: a law of large numbers over users and not over runs,
  which a run in a hundred that ends otherwise can spoil.
- Where some runs stick and others recover, means say nothing: the shares of runs that stuck are compared, in points.
- Of all comparisons of a table together, at most 5 % chance of calling engines equivalent that are not: Holm 1979.
"""

import math
import os
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

from mockbot.evidence.records import Prompt
from mockbot.scenario.scale import scale_by
from mockbot.scenario.schema import Scenario
from mockbot.simulate.engines import Engine, start
from mockbot.simulate.simulation import Memory
from tests.simulate.build import scenario

MARGIN, HALF = 0.03, 0.01  # of the reference's mean
STUCK_MARGIN = 0.05  # of the runs
FEWEST, MOST = 32, 1600  # seeds
LARGER = 10.0
MIXED = 0.02  # less often than that, a run that stuck or recovered is an outlier of the others' mean
ALPHA = 0.05
MEASURES = ("good", "attempts", "waits", "work", "down-time")

# 200 users who ask for 20/s, and at best 25/s; a queue of 150 is 6 s of work.
PROVIDER: dict[str, Any] = {
    "slots": 50,
    "queue": {"limit": 150},
    "answer": {"first_token": "1s", "tokens": {"median": 10, "p95": 20}, "pace": "10/s"},
}
POLICIES: dict[str, Any] = {
    "once": "once",
    "fixed": {"name": "fixed", "attempts": 4, "wait": "1s", "timeout": "5s"},
    "backoff": "backoff",
    "exact": {"name": "backoff", "jitter": "equal", "retry_after": "exact", "timeout": "8s"},
    "sdk": {"name": "sdk", "timeout": "6s"},
    "refresh": {"name": "refresh", "every": "4s"},
    "reload": {"name": "refresh", "timeout": "10s"},
}
FAULTS: dict[str, Any] = {
    "http_error": {"http_error": 503, "share": "80%"},
    "rate_limited": {"rate_limited": {"retry_after": "7s"}},
    "maintenance": {"maintenance": True},
    "crash": {"crash": {"warm_up": "20s"}},
    "shed": {"shed": {"admit": {"free": "10% -> 40%"}}},
    "capacity": {"capacity": "50% -> 0%"},
    "slow": {"slow": {"factor": 2, "first_token": "1s"}},
    "down": {"down": True},
}
_VISITORS = {"users": None, "arrivals": "100%", "think": "8s"}
_COMING: list[dict[str, Any]] = [
    {"name": "calm", "lasts": "60s", "arrivals": "20/s"},
    {"name": "bad", "lasts": "120s", "arrivals": "20/s -> 40/s", "faults": [{"http_error": 503, "keys": "30%"}]},
    {"name": "after", "lasts": "100s", "arrivals": "15/s"},
]
_RUSH: list[dict[str, Any]] = [
    {"name": "calm", "lasts": "60s", "users": 200},
    {"name": "rush", "lasts": "20s", "users": "200 -> 800"},
    {"name": "ebb", "lasts": "60s", "users": "800 -> 200"},
    {"name": "after", "lasts": "60s"},
]
OTHERS: dict[str, Mapping[str, Any]] = {
    "visitors/keys": {"phases": _COMING, "group": _VISITORS | {"policy": "backoff"}},
    "limits/sdk": {"provider": PROVIDER | {"limits": {"free": "4/m"}}, "group": {"policy": "sdk"}},
    "plain/slow/sdk": {
        "faults": [{"slow": {"factor": 2, "first_token": "1s"}}],
        "group": {"policy": POLICIES["sdk"], "stream": False},
    },
    "leaves_queue/capacity/refresh": {
        "faults": [FAULTS["capacity"]],
        "provider": PROVIDER | {"abandoned_work": "leaves_queue"},
        "group": {"policy": POLICIES["refresh"]},
    },
    "comes_back/shed/once": {"faults": [FAULTS["shed"]], "group": {"policy": "once", "comes_back": "30s"}},
    "two crashes/backoff": {
        "faults": [{"crash": True, "lasts": "20s"}, {"crash": {"warm_up": "30s"}, "at": "20s", "lasts": "30s"}],
        "group": {"policy": "backoff"},
    },
    "flap/fixed": {
        "faults": [{"http_error": 500, "flap": {"period": "10s", "duty": "40%"}}],
        "group": {"policy": POLICIES["fixed"]},
    },
    "rush/refresh": {"phases": _RUSH, "group": {"policy": POLICIES["refresh"]}},
}


def combinations() -> dict[str, Scenario]:
    """All of them, by name: every policy with every fault, and what else has rules of its own in an engine."""
    worlds = {
        f"{fault}/{policy}": {"faults": [FAULTS[fault]], "group": {"policy": POLICIES[policy]}}
        for fault in FAULTS
        for policy in POLICIES
    }
    return {name: _world(**words) for name, words in (worlds | OTHERS).items()}


def _world(faults: Sequence[Any] = (), **words: Any) -> Scenario:
    calm = {"name": "calm", "lasts": "30s", "users": 200}
    phases = [calm, {"name": "bad", "lasts": "120s", "faults": list(faults)}, {"name": "after", "lasts": "90s"}]
    group = {"patience": "40s"} | words.pop("group")
    return scenario(**({"provider": PROVIDER, "phases": phases, "slo": "5s"} | words), group=group)


# -- one run -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lived:
    """What a run came to: MEASURES in order, and whether most users were down at its end."""

    measures: tuple[float, ...]
    stuck: bool


def lived(world: Scenario, run_of: tuple[Engine, int]) -> Lived:
    """Play one seed with one engine."""
    engine, seed = run_of
    memory = Memory()
    run = start(engine, world, seed, memory.take)
    while run.play(run.now + 60):
        pass
    end = run.finish()
    prompts = sorted((each for each in memory.requests if isinstance(each, Prompt)), key=attrgetter("user", "intended"))
    good = sum(_is_good(world, prompt) for prompt in prompts) / len(prompts)
    waits = sum(prompt.end - prompt.intended for prompt in prompts) / len(prompts)
    down, users, still = 0.0, 0, 0
    for _, own in groupby(prompts, key=attrgetter("user")):
        since = None
        for prompt in own:
            if _is_good(world, prompt):
                down, since = down + (0.0 if since is None else prompt.end - since), None
            elif since is None:
                since = prompt.intended
        down, users, still = down + (0.0 if since is None else end - since), users + 1, still + (since is not None)
    attempts, work = sum(prompt.attempts for prompt in prompts), sum(second.work for second in memory.seconds)
    return Lived((good, attempts, waits, work, down), 2 * still > users)


def _is_good(world: Scenario, prompt: Prompt) -> bool:
    return prompt.settled == "answered" and prompt.end - prompt.intended <= world.slo


# -- many runs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the fast engine from the reference, with half its 95 % interval; `p`: that it is `margin` or more."""

    what: str
    mean: float
    half: float
    margin: float

    @property
    def p(self) -> float:
        """The greater of the two one-sided tests."""
        error = self.half / _NORMAL.inv_cdf(0.975)
        away = self.margin - abs(self.mean)
        return float(away < 0) if error == 0 else 1 - _NORMAL.cdf(away / error)

    def __str__(self) -> str:
        return f"{self.what} {self.mean:+.2%} ± {self.half:.2%}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    users: float  # times as many as written
    seeds: int
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        return f"{self.name:32} x{self.users:<3g} {self.seeds:5} seeds   {', '.join(map(str, self.differences))}"


_NORMAL = statistics.NormalDist()


def compare(name: str, world: Scenario, pool: Executor, most: int = MOST) -> Row:
    """Add seeds until the intervals are small enough, with a larger crowd where that is shorter."""
    for size in (1.0, LARGER):
        scaled, runs = scale_by(world, size).scenario, {"reference": list[Lived](), "fast": list[Lived]()}
        seeds = FEWEST
        while True:
            for engine, done in runs.items():
                asked = [(engine, seed) for seed in range(len(done), seeds)]
                done.extend(pool.map(partial(lived, scaled), asked, chunksize=max(1, len(asked) // 16)))
            found = differences(runs["reference"], runs["fast"])
            # Half an interval goes with 1/sqrt(seeds).
            needed = math.ceil(1.05 * seeds * max(each.half / each.margin * MARGIN / HALF for each in found) ** 2)
            if seeds >= min(needed, most) or (size < LARGER and needed > most / LARGER):
                break
            seeds = min(needed, most)
        if size == LARGER or seeds >= needed:
            return Row(name, size, seeds, found)
    raise AssertionError


def differences(reference: Sequence[Lived], fast: Sequence[Lived]) -> tuple[Difference, ...]:
    """Of each measure; of the shares that stuck where there are both kinds of runs."""
    stuck = [[float(run.stuck) for run in runs] for runs in (reference, fast)]
    if MIXED < sum(map(sum, stuck)) / sum(map(len, stuck)) < 1 - MIXED:
        ours, theirs = map(statistics.fmean, stuck)
        half = _half([statistics.variance(each) / len(each) for each in stuck])
        return (Difference("stuck", theirs - ours, half, STUCK_MARGIN),)
    return tuple(_of(what, values) for what, values in zip(MEASURES, _columns(reference, fast), strict=True))


def _columns(reference: Sequence[Lived], fast: Sequence[Lived]) -> Iterator[tuple[list[float], list[float]]]:
    for index in range(len(MEASURES)):
        yield [run.measures[index] for run in reference], [run.measures[index] for run in fast]


def _of(what: str, values: tuple[list[float], list[float]]) -> Difference:
    """Of the ratio of two means, by the delta method."""
    (ours, theirs), (var, their_var) = ([f(v) for v in values] for f in (statistics.fmean, statistics.variance))
    if ours == theirs == 0:
        return Difference(what, 0.0, 0.0, MARGIN)
    ratio = theirs / ours
    errors = [var * ratio**2 / len(values[0]) / ours**2, their_var / len(values[1]) / ours**2]
    return Difference(what, ratio - 1, _half(errors), MARGIN)


def _half(variances: Sequence[float]) -> float:
    return _NORMAL.inv_cdf(0.975) * math.sqrt(sum(variances))


def unequal(rows: Sequence[Row]) -> list[str]:
    """The comparisons in which a difference of the margin is not refuted, with all of the table together."""
    tested = sorted((each.p, f"{row.name}: {each}") for row in rows for each in row.differences)
    for rank, (p, _) in enumerate(tested):
        if p > ALPHA / (len(tested) - rank):
            return [text for _, text in tested[rank:]]
    return []


def table(names: Sequence[str]) -> Iterator[Row]:
    """The rows of these combinations, as they are done; on all cores."""
    worlds = combinations()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in names:
            yield compare(name, worlds[name], pool)


def main(words: Sequence[str]) -> int:
    """Print the table, then what is not equivalent."""
    names = [name for name in combinations() if not words or any(word in name for word in words)]
    rows = []
    for row in table(names):
        rows.append(row)
        print(row, flush=True)  # noqa: T201 - this is what it is for
    found = unequal(rows)
    print("\n".join(["not equivalent:", *found] if found else ["all equivalent"]))  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Scenarios in, what happened in them out, once for each seed. The only module here that simulates.

An interruption comes out as KeyboardInterrupt, so that whoever asked keeps the answers that are done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from mockbot.errors import UsageError
from mockbot.evidence.formulas import measure
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.run_counters import count_run
from mockbot.evidence.scope import Scope
from mockbot.measures.values import Beyond, Known
from mockbot.scenario.schema import Scenario
from mockbot.simulate.engines import EngineName, Record, Run, choose, start
from mockbot.simulate.play import Memory, simulate
from mockbot.simulate.spread import Interval, interval

NOBODY = 1 << 40  # one user in so many is recorded: what the providers saw is enough
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Life:
    """One run, simulated or live: its prompts, what its providers saw, and when it was well again (inf: never)."""

    prompts: list[Prompt]
    seconds: list[ServiceSecond]
    recovery: float | None = None
    affected: float | None = None

    def wait(self, begin: float, end: float, groups: frozenset[str] | None = None) -> float | None:
        """The median wait for an answer of those who asked in this time; without an answer it is infinite."""
        waits = [
            prompt.end - prompt.intended if prompt.settled == "answered" else NEVER
            for prompt in self._asked(begin, end, groups)
        ]
        return median(waits) if waits else None

    def answered(self, begin: float, end: float, within: float, groups: frozenset[str] | None = None) -> float | None:
        """The share of those who asked in this time and were answered within so many seconds."""
        good = [
            prompt.settled == "answered" and prompt.end - prompt.intended <= within
            for prompt in self._asked(begin, end, groups)
        ]
        return sum(good) / len(good) if good else None

    def through(self, begin: float, end: float) -> float | None:
        """Seconds after `end` until 95 % of those who asked in this time have an answer."""
        ends = sorted(p.end if p.settled == "answered" else NEVER for p in self._asked(begin, end, None))
        return max(0.0, ends[int(0.95 * (len(ends) - 1))] - end) if ends else None

    def peak(self, begin: float, end: float) -> float:
        """The most requests in one of these seconds."""
        return float(max((second.offered for second in self.seconds if begin <= second.t < end), default=0))

    def _asked(self, begin: float, end: float, groups: frozenset[str] | None) -> list[Prompt]:
        return [p for p in self.prompts if begin <= p.intended < end and (groups is None or p.group in groups)]


class Lab:
    """`tick` is called after every run."""

    def __init__(self, seeds: int, tick: Callable[[], None]) -> None:
        self.seeds = seeds
        self._tick = tick
        self._done: dict[str, list[Life]] = {}

    def lives(self, scenario: Scenario, *, judged: bool = False) -> list[Life]:
        """One for each seed; those that were lived through before are remembered when they are `judged`."""
        if judged and scenario.name in self._done:
            return self._done[scenario.name]
        found = [self._live(scenario, number, judged=judged) for number in range(self.seeds)]
        if judged:
            self._done[scenario.name] = found
        return found

    def _live(self, scenario: Scenario, number: int, *, judged: bool) -> Life:
        memory = Memory()

        def keep(record: Record) -> None:
            if judged or not isinstance(record, Attempt):
                memory.take(record)

        engine: EngineName = "fast" if is_fast(scenario) else "reference"
        info = simulate(scenario, seed=scenario.seed + number, sink=keep, engine=engine)
        if info.ended == "interrupted":
            raise KeyboardInterrupt
        self._tick()
        if judged:
            return life_of(memory.evidence(scenario, info))
        return Life([each for each in memory.requests if isinstance(each, Prompt)], memory.seconds)

    def seconds(self, scenario: Scenario, number: int) -> list[ServiceSecond]:
        """What the providers saw of a crowd of any size, by the fastest engine that there is."""
        memory: list[ServiceSecond] = []

        def keep(record: Record) -> None:
            if isinstance(record, ServiceSecond):
                memory.append(record)

        run = _fastest(scenario, scenario.seed + number, keep)
        while run.play(run.latest):
            pass
        self._tick()
        return memory

    def spread(self, lives: list[Life], take: Callable[[Life], float | None]) -> Interval:
        """One number of each run, with its interval."""
        return interval([take(life) for life in lives])


def of_live(live: Life | None, take: Callable[[Life], float | None]) -> float | None:
    """The same number of a live run, if there is one."""
    return None if live is None else take(live)


def is_fast(scenario: Scenario) -> bool:
    """Whether the fast engine is there and can play it."""
    try:
        return choose("fast", scenario) == "fast"
    except UsageError:
        return False


def life_of(evidence: RunEvidence) -> Life:
    """Of any run, live or simulated."""
    counted = measure(count_run(evidence), Scope())
    prompts = [record for record in evidence.requests() if isinstance(record, Prompt)]
    seconds = [record for record in evidence.seconds() if isinstance(record, ServiceSecond)]
    taken = [counted["recovery_time"], counted["affected_recovery"]]
    times = [each.number if isinstance(each, Known) else NEVER if isinstance(each, Beyond) else None for each in taken]
    return Life(prompts, seconds, *times)


def _fastest(scenario: Scenario, seed: int, sink: Callable[[Record], None]) -> Run:
    if not is_fast(scenario):
        return start("reference", scenario, seed, sink)
    from mockbot.simulate.fast.run import Fast  # noqa: PLC0415 - numba is an extra

    return Fast(scenario, seed, sink, stride=NOBODY)

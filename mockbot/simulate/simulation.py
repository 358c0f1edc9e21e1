"""One simulated run: a scenario in, its records into a sink, and a RunInfo out, which describes the run.

The records are those of a live run, so journal, measures, verdict and report are too. `watch` is called every scenario
minute; an interruption keeps what is done.
"""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import assert_never

from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.records import Action, Attempt, Ended, Prompt, RunInfo, ServiceSecond
from mockbot.scenario.arrivals import loop_of
from mockbot.scenario.scale import scaled_to
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.scenario.transforms import without_system
from mockbot.simulate.change_points import Record, Sink
from mockbot.simulate.engines import EngineName, choose, start

Watch = Callable[[float, float], None]  # (moment reached, the last moment it may take)

LOOK = 60.0  # scenario seconds between two calls of the watcher


def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    users: float | None = None,
    sink: Sink,
    engine: EngineName = "auto",
    watch: Watch = lambda _now, _end: None,
    command: str = "",
    scaled: str = "",
) -> RunInfo:
    """Play the whole scenario. Raises UsageError when the scenario, or this engine, does not allow it."""
    without_system(scenario, "a simulation has none")
    if users is not None:
        done = scaled_to(scenario, users)
        scenario, scaled = done.scenario, done.says
    seed = scenario.seed if seed is None else seed
    chosen = choose(engine, scenario)
    run = start(chosen, scenario, seed, sink)
    ended: Ended = "completed"
    try:
        while run.play(run.now + LOOK):
            watch(run.now, run.latest)
    except KeyboardInterrupt:
        ended = "interrupted"
    end = run.finish()
    why = "" if ended == "completed" else "interrupted"
    return RunInfo(
        scenario=scenario.name, speed=1.0, t0=0.0, ended=ended, end=round(end, 3), engine="none", nodes=0, seed=seed,
        why=why, versions={"mockbot": version("mockbot"), "engine": chosen}, simulated=True, loop=loop_of(scenario),
        command=command, scaled=scaled, weight=run.stride,
    )  # fmt: skip


class Memory:
    """A sink that keeps all records, for a judgement without a run folder."""

    def __init__(self) -> None:
        self.requests: list[Attempt | Prompt] = []
        self.seconds: list[ServiceSecond] = []
        self.actions: list[Action] = []

    def take(self, record: Record) -> None:
        """Keep it."""
        match record:
            case Attempt() | Prompt():
                self.requests.append(record)
            case ServiceSecond():
                self.seconds.append(record)
            case Action():
                self.actions.append(record)
            case _:
                assert_never(record)

    def evidence(self, scenario: Scenario, info: RunInfo) -> RunEvidence:
        """As `read_run` gives it."""
        requests: Callable[[], Iterator[Attempt | Prompt | Broken]] = lambda: iter(self.requests)  # noqa: E731
        seconds: Callable[[], Iterator[ServiceSecond | Broken]] = lambda: iter(self.seconds)  # noqa: E731
        return RunEvidence(info, scenario, Timeline(scenario), requests, seconds, actions=tuple(self.actions))

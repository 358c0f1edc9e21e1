"""Every bundled scenario live, and beside it simulated: the same file, the same policy objects (target 22).

A live run is one draw of what the simulation draws often. It agrees when it lies within 10 % of the seeds' mean, or
within the 3 sd in which 99.7 % of the draws lie; with the sd known from so few seeds only, that is Student's t.
The moments of a compressed run are as sharp as its machine: 50 ms of wall time (the guard's limit for the generator's
lag) are `speed` times as many scenario seconds, in which a phase's edge may let the neighbour's rate in.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.measures.values import Beyond, Known, Value
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run
from mockbot.scenario.library import names
from mockbot.simulate.simulation import Memory, simulate
from tests.e2e.conftest import Run

LEFT = {"scenario.yaml", "journal.jsonl", "service.jsonl", "actions.jsonl", "summary.json", "junit.xml", "logs"}
SEEDS = 12
T = 3.85 * math.sqrt(1 + 1 / SEEDS)  # Student's t with 11 degrees of freedom that is exceeded as often as 3 sd
SHARP = 0.05  # wall seconds

pytestmark = [pytest.mark.second, pytest.mark.timeout(900)]
SAMPLE = ("unexpected-failure",)  # for every change; all of them are live in the nightly tier
each_scenario = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.nightly) for name in names()]
)


@dataclass(frozen=True)
class Twins:
    """One run, and what the same scenario is in virtual time with several seeds."""

    evidence: RunEvidence
    live: Judgement
    simulated: tuple[Judgement, ...]


def twins_of(folder: Path) -> Twins:
    """Read a live run and simulate its scenario."""
    evidence = read_run(RunFolder(folder))
    return Twins(evidence, judge(evidence), tuple(_simulated(evidence, seed) for seed in range(SEEDS)))


def _simulated(evidence: RunEvidence, number: int) -> Judgement:
    memory, world = Memory(), evidence.scenario
    info = simulate(world, seed=world.seed + number, sink=memory.take)
    return judge(memory.evidence(world, info))


@pytest.fixture(scope="module")
def twins(lived_through: Callable[[str], Run]) -> Callable[[str], Twins]:
    """The twins of a bundled scenario, made once."""
    made: dict[str, Twins] = {}

    def make(name: str) -> Twins:
        if name not in made:
            made[name] = twins_of(lived_through(name).folder)
        return made[name]

    return make


@each_scenario
def test_a_bundled_scenario_passes(lived_through: Callable[[str], Run], name: str) -> None:
    """On a machine that keeps up, each ends with pass, and leaves everything that the design lists."""
    run = lived_through(name)

    assert run.process.wait(0) == 0, run.output()
    assert {path.name for path in run.folder.iterdir()} >= LEFT
    assert run.summary()["verdict"] == "pass"
    assert ET.parse(run.folder / "junit.xml").getroot().tag == "testsuites"  # noqa: S314 - our own file


@pytest.mark.nightly
@each_scenario
def test_the_verdict_is_the_same(twins: Callable[[str], Twins], name: str) -> None:
    """What holds live holds simulated, with every seed but one at most."""
    pair = twins(name)

    assert pair.live.verdict == "pass", pair.live.reasons
    assert sum(run.verdict == pair.live.verdict for run in pair.simulated) >= SEEDS - 1


@pytest.mark.nightly  # seen outside: attempts 526 for 341 (sd 39) as a surge ebbs, 1.49 a prompt for 1.33 in a window
@each_scenario
def test_every_phase_is_as_simulated(twins: Callable[[str], Twins], name: str) -> None:
    """Goodput, attempts, attempts for each prompt and in the same time as it, in every phase."""
    assert list(differences(twins(name))) == []


@pytest.mark.nightly
@each_scenario
def test_recovery_takes_as_long(twins: Callable[[str], Twins], name: str) -> None:
    """Within 20 % or 5 s, or what chance alone makes: two simulated seeds differ by more than that, too."""
    pair = twins(name)
    live, simulated = _whole(pair.live), [_whole(run) for run in pair.simulated]
    known = [value.number for value in simulated if isinstance(value, Known)]

    if isinstance(live, Known):
        assert known
        mean, sd = _mean_sd(known)
        assert abs(live.number - mean) <= max(0.2 * mean, 5.0, T * sd)
    else:
        assert any(type(value) is type(live) for value in simulated)
        assert not isinstance(live, Beyond) or len(known) <= SEEDS / 2


def differences(pair: Twins) -> Iterator[str]:
    """What is further apart than chance and a blurred edge allow, in words."""
    phases = pair.evidence.timeline.phases
    for phase in phases:
        blur = SHARP * pair.evidence.scenario.speed / (phase.end - phase.start)
        for measure in ("goodput", "attempts", "attempts_per_prompt", "amplification"):
            live, *simulated = (_of(run, phase.name, measure) for run in (pair.live, *pair.simulated))
            if live is None or None in simulated:
                continue
            mean, sd = _mean_sd([number for number in simulated if number is not None])
            most = max(number or 0.0 for other in phases for number in [_of(pair.live, other.name, measure)])
            if abs(live - mean) > max(0.1 * mean, T * sd, 2 * blur * most):
                yield f"{phase.name}: {measure} {live:.3f} live, {mean:.3f} simulated (sd {sd:.3f})"


def _of(judgement: Judgement, phase: str, measure: str) -> float | None:
    measures = next(row.values for row in judgement.measures if str(row.scope) == f"phase {phase}")
    if measure == "attempts":
        per_prompt, prompts = measures["attempts_per_prompt"], measures["prompts"]
        if isinstance(per_prompt, Known) and isinstance(prompts, Known):
            return per_prompt.number * prompts.number
        return None
    value = measures[measure]
    return value.number if isinstance(value, Known) else None


def _whole(judgement: Judgement) -> Value:
    return judgement.measures[0].values["recovery_time"]


def _mean_sd(numbers: Sequence[float]) -> tuple[float, float]:
    mean = math.fsum(numbers) / len(numbers)
    return mean, math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / max(1, len(numbers) - 1))

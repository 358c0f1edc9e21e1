"""Play a long outage in a short time without a faster clock: a Scenario and a length in, a shorter one out. Pure.

What the outage owns shrinks in proportion: phases; a fault's `at`, `lasts`, `flap` and `warm_up`; a maintenance's fixed
Retry-After; the times of the status page. What clients and providers own does not: service times, think times,
timeouts, policies, rates. What becomes too short to mean anything is told.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mockbot.errors import UsageError
from mockbot.faults.base import FaultBase
from mockbot.scenario.answer_law import mean_seconds
from mockbot.scenario.calm import timeout_of
from mockbot.scenario.parts import Expectation, Phase, StatusUpdate
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import PhaseSpan, fault_spans, moment, phase_spans
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_percent
from mockbot.units.quantities import duration_text, parse_duration

SHORTEST_PHASE = 1.0  # seconds
SHORTEST_FLAP = 1.0  # seconds, of the language
AFTER_ITS_END = ("first_success", "recovery_time", "affected_recovery", "first_return")  # measures from an outage's end
MIN_PROMPTS = 20  # in each phase, for a share of them to mean anything


@dataclass(frozen=True, slots=True)
class Shortened:
    """The scenario; how long it was; and a sentence for everything that is too short now."""

    scenario: Scenario
    before: float
    doubts: tuple[str, ...]

    @property
    def text(self) -> str:
        """What a report says beside every time."""
        after = sum(phase.lasts for phase in self.scenario.phases)
        return f"shortened from {duration_text(self.before)} to {duration_text(round(after, 3))}"


def duration_option(text: str) -> float:
    """The seconds of `--length`. Raises UsageError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--length {text}: {error}") from None


def shortened(scenario: Scenario, length: float) -> Shortened:
    """The scenario, `length` seconds long. UsageError when it is shorter already, or too short for its phases."""
    before = sum(phase.lasts for phase in scenario.phases)
    if length > before:
        raise UsageError(
            f"--length {duration_text(length)}: {scenario.name} lasts {duration_text(before)} only; leave --length out"
        )
    factor = length / before
    name, shortest = min(((phase.name, phase.lasts) for phase in scenario.phases), key=lambda each: each[1])
    if shortest * factor < SHORTEST_PHASE:
        least = duration_text(math.ceil(before * SHORTEST_PHASE / shortest))
        raise UsageError(f"--length {duration_text(length)}: phase {name!r} would last less than 1s; at least {least}")
    after = stretched(scenario, [factor] * len(scenario.phases))
    kept, left_out = _decidable(after)
    return Shortened(after.model_copy(update={"expect": kept}), before, (*_doubts(after), *left_out))


def stretched(scenario: Scenario, factors: Sequence[float]) -> Scenario:
    """Each phase times its own factor, with all that the outage owns in it; the status page follows."""
    phases = tuple(_phase(phase, factor) for phase, factor in zip(scenario.phases, factors, strict=True))
    before, after = phase_spans(scenario.phases), phase_spans(phases)
    page = tuple(_update(update, before, after, factors) for update in scenario.status_page)
    return scenario.model_copy(update={"phases": phases, "status_page": page})


def _phase(phase: Phase, factor: float) -> Phase:
    faults = tuple(_fault(fault, factor) for fault in phase.faults)
    return phase.model_copy(update={"lasts": _times(phase.lasts, factor), "faults": faults})


def _fault(fault: FaultBase, factor: float) -> FaultBase:
    update: dict[str, object] = {"at": _times(fault.at, factor)}
    if fault.lasts is not None:
        update["lasts"] = _times(fault.lasts, factor)
    if fault.flap is not None:
        period = max(SHORTEST_FLAP, _times(fault.flap.period, factor))
        update["flap"] = fault.flap.model_copy(update={"period": period})
    times = {name: getattr(fault.spec, name) for name in fault.own_times}
    shrunk = {name: _times(value, factor) for name, value in times.items() if isinstance(value, float)}
    if shrunk:
        update[fault.kind] = fault.spec.model_copy(update=shrunk)
    return fault.model_copy(update=update)


def _update(
    update: StatusUpdate, before: Sequence[PhaseSpan], after: Sequence[PhaseSpan], factors: Sequence[float]
) -> StatusUpdate:
    t = moment(update.at, before)
    index = max((index for index, span in enumerate(before) if span.start <= t), default=0)
    at = after[index].start + (t - before[index].start) * factors[index]
    changed: dict[str, object] = {"at": duration_text(round(at, 3)), "typed": _times(update.typed, factors[index])}
    if update.back_in is not None:
        changed["back_in"] = _times(update.back_in, factors[index])
    return update.model_copy(update=changed)


def _times(seconds: float, factor: float) -> float:
    return round(seconds * factor, 3)


def _decidable(scenario: Scenario) -> tuple[tuple[Expectation, ...], list[str]]:
    """The expectations without those that the length decides, and what was left out.

    Of a calm: the prompts of its last moments meet the faults of the next phase; of a phase of T seconds they are S/T,
    and S is the mean of an answer's seconds. Of a duration: more of it than is left.
    """
    answer = scenario.providers[scenario.first_provider].answer
    timeline, kept, left_out = Timeline(scenario), list[Expectation](), list[str]()
    end = timeline.end
    left = round(end - max((span.end for span in timeline.faults), default=end), 3)
    room = defaultdict(lambda: end, dict.fromkeys(AFTER_ITS_END, left))
    calm = {
        each.name: each.end - each.start
        for each, following in pairwise(timeline.phases)
        if not timeline.at((each.start + each.end) / 2).faults and timeline.at(following.start).faults
    }
    for expected in scenario.expect:
        late = mean_seconds(answer) / calm[expected.phase] if expected.phase in calm else 0.0
        dropped: dict[str, None] = {}
        for measure, text, threshold in expected.thresholds():
            share = measure.name in {"answered", "availability"} and threshold.op in {">", ">="}
            if share and 1 - late < threshold.value:
                why = f"{format_percent(late)} of its prompts are under way when the outage begins"
            elif measure.unit == "duration" and threshold.phase is None and threshold.value > room[measure.name]:
                why = f"{duration_text(room[measure.name])} is all there is"
            else:
                continue
            dropped[measure.name] = None
            of = f" of phase {expected.phase!r}" if expected.phase else ""
            left_out.append(f"expectation '{measure.name} {text}'{of} is left out: {why}")
        if len(dropped) < len(expected.thresholds()):
            kept.append(expected.model_copy(update=dropped))
    if left_out and not kept:
        left_out.append("no expectation is left, so that the verdict will be inconclusive; give --length more time")
    return tuple(kept), left_out


def _doubts(scenario: Scenario) -> tuple[str, ...]:
    """What means nothing any more, in the order of the file."""
    doubts = []
    patient = max(scenario.crowd, key=lambda name: timeout_of(scenario.crowd[name]))
    wait, think = timeout_of(scenario.crowd[patient]), min(group.think for group in scenario.crowd.values())
    if brief := {phase.name: phase.lasts for phase in scenario.phases if phase.lasts < wait}:
        doubts.append(f"{patient!r} waits {duration_text(wait)} for one attempt; shorter than that: {_lasts(brief)}")
    timeline = Timeline(scenario)
    for each in timeline.phases:
        holds = timeline.at((each.start + each.end) / 2)
        rates = [n / scenario.crowd[name].think for name, n in holds.users.items() if scenario.crowd[name].think]
        prompts = (each.end - each.start) * sum(rates)
        # A Poisson count is lower than its mean less 2 sd once in 40 times. Arrivals and hasty users are not counted.
        if len(rates) == len(scenario.crowd) and prompts - 2 * math.sqrt(prompts) < MIN_PROMPTS:
            few = f"about {prompts:.0f} prompts of its crowd, maybe less than the {MIN_PROMPTS} it needs"
            doubts.append(f"phase {each.name!r} has {few}")
    spans = fault_spans(scenario.phases, scenario.first_provider)
    if brief := {span.id: lasts for span in spans if (lasts := round(span.end - span.start, 3)) < think}:
        doubts.append(f"users think for {duration_text(think)}; shorter than that: {_lasts(brief)}")
    return tuple(doubts)


def _lasts(spans: Mapping[str, float]) -> str:
    return ", ".join(f"{name} ({duration_text(seconds)})" for name, seconds in spans.items())

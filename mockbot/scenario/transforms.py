"""A scenario in, the same scenario for another purpose out. Pure; what is not named here stays as it is."""

from collections.abc import Iterator

from mockbot.errors import UsageError
from mockbot.faults.base import SYSTEM
from mockbot.measures.measure import Measure
from mockbot.scenario.policies import Once
from mockbot.scenario.schema import Expectation, Group, Phase, Scenario, StatusUpdate
from mockbot.scenario.spans import PhaseSpan, fault_spans, moment, phase_spans
from mockbot.units.quantities import Ramp, duration_text

EXTERNAL_GROUP = "command"  # the group of a client that is not part of the scenario
_HELD = 3600.0  # wall seconds; to hold a phase longer, hold it again


def held(scenario: Scenario, phase: str, speed: float) -> Scenario:
    """The scenario with one phase that goes on and on. What ramps over the phase keeps its first value."""
    phases = tuple(_stretched(each, speed) if each.name == phase else each for each in scenario.phases)
    return scenario.model_copy(update={"phases": phases})


def _stretched(phase: Phase, speed: float) -> Phase:
    faults = tuple(fault.held(phase.lasts) for fault in phase.faults)
    return phase.model_copy(update={"lasts": max(phase.lasts, _HELD * speed), "faults": faults})


def for_external_client(scenario: Scenario) -> Scenario:
    """The scenario with one client instead of the crowd; of what is expected, only what is good for its users remains.

    What the file expects of its own groups and tiers is gone, and so is what only a crowd can do to a provider.
    """
    without_system(scenario, "its client is asked by no crowd")
    crowd = {EXTERNAL_GROUP: Group(users=1.0, policy=Once(), patience=600.0, uses=scenario.first_provider)}
    one_user = {"users": Ramp(1, 1), "arrivals": None, "mix": None}
    expect = []
    for each in scenario.expect:
        kept = {measure.name: text for measure, text in _wishes(each) if measure.one_client}
        if kept and each.group is None and each.tier is None:
            expect.append(Expectation.model_validate({"phase": each.phase, "provider": each.provider, **kept}))
    phases = tuple(phase.model_copy(update=one_user) for phase in scenario.phases)
    return scenario.model_copy(update={"crowd": crowd, "phases": phases, "expect": tuple(expect)})


def for_system(scenario: Scenario) -> Scenario:
    """The scenario with a system between crowd and providers: every user asks the system, and no one goes around it.

    Of what is expected, only what is good for users remains.
    """
    through = {"uses": None, "falls_over_to": None}
    crowd = {name: group.model_copy(update=through) for name, group in scenario.crowd.items()}
    expect = []
    for each in scenario.expect:
        if kept := {measure.name: text for measure, text in _wishes(each)}:
            scope = {"phase": each.phase, "group": each.group, "tier": each.tier, "provider": each.provider}
            expect.append(Expectation.model_validate({**scope, **kept}))
    return scenario.model_copy(update={"crowd": crowd, "speed": 1.0, "expect": tuple(expect)})


def _wishes(expected: Expectation) -> Iterator[tuple[Measure, str]]:
    """What users would wish. "At most 50 % answered" is a lesson about the scenario's crowd instead."""
    for measure, text, _ in expected.thresholds():
        if text.startswith(">" if measure.better == "high" else "<"):
            yield measure, text


def without_system(scenario: Scenario, why: str) -> Scenario:
    """The same scenario, where there is no system under test. UsageError, with `why`, when a fault is on one."""
    for span in fault_spans(scenario.phases, scenario.first_provider):
        if span.provider == SYSTEM:
            raise UsageError(f"fault {span.id} is on the system under test, and {why}; use `mockbot run --system`")
    return scenario


def with_answers_made_here(scenario: Scenario, what: str) -> Scenario:
    """The same scenario. UsageError when a provider is real or a recording, whose answers `what` cannot know."""
    for name, provider in scenario.providers.items():
        if not provider.makes_answers:
            key = "replay: true" if provider.replay else "upstream: real"
            raise UsageError(f"provider {name!r} is `{key}`: {what} knows nothing of its answers; use mockbot run")
    return scenario


def starting_at(scenario: Scenario, phase: str) -> Scenario:
    """The scenario from this phase on, with the faults that began before and still hold. KeyError: no such phase."""
    spans = phase_spans(scenario.phases)
    index = {span.name: index for index, span in enumerate(spans)}[phase]
    start = spans[index].start
    carried = []
    for span in fault_spans(scenario.phases, scenario.first_provider):
        if span.start < start < span.end:
            # What ramps goes on from where it was.
            share = Ramp(span.fault.share.at(span.progress(start)), span.fault.share.last)
            carried.append(span.fault.model_copy(update={"at": 0.0, "lasts": span.end - start, "share": share}))
    first, *later = scenario.phases[index:]
    kept = {None, *(each.name for each in scenario.phases[index:])}
    return scenario.model_copy(
        update={
            "phases": (first.model_copy(update={"faults": (*carried, *first.faults)}), *later),
            "status_page": _updates_from(start, scenario.status_page, spans),
            "expect": tuple(each for each in scenario.expect if each.phase in kept),
        }
    )


def _updates_from(
    start: float, updates: tuple[StatusUpdate, ...], spans: tuple[PhaseSpan, ...]
) -> tuple[StatusUpdate, ...]:
    """The last update before `start` and all after it, each at its offset to the new beginning."""
    offsets = sorted(((moment(update.at, spans) - start, update) for update in updates), key=lambda each: each[0])
    last = max((at for at, _ in offsets if at <= 0), default=0.0)
    return tuple(
        update.model_copy(update={"at": duration_text(round(max(0.0, at), 3))}) for at, update in offsets if at >= last
    )

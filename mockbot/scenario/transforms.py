"""A scenario in, the same scenario for another purpose out. Pure; what is not named here stays as it is."""

from mockbot.faults.union import FaultBase, Maintenance
from mockbot.measures.catalogue import CATALOGUE
from mockbot.scenario.policies import Once
from mockbot.scenario.schema import Expectation, Group, Phase, Scenario, StatusUpdate
from mockbot.scenario.spans import FaultSpan, PhaseSpan, fault_spans, moment, phase_spans
from mockbot.units.quantities import Ramp, duration_text

EXTERNAL_GROUP = "command"  # the group of a client that is not ours
_HELD = 3600.0  # wall seconds; who holds a phase longer begins it again


def held(scenario: Scenario, phase: str, speed: float) -> Scenario:
    """The scenario with one phase that goes on and on. What ramps over the phase keeps its first value."""
    phases = tuple(_long(each, speed) if each.name == phase else each for each in scenario.phases)
    return scenario.model_copy(update={"phases": phases})


def for_external_client(scenario: Scenario) -> Scenario:
    """The scenario with one client in the place of the crowd; of that only what is good for its users is expected.

    What the file expects of its own groups and tiers is gone, and so is what only a crowd can do to a provider.
    """
    crowd = {EXTERNAL_GROUP: Group(users=1.0, policy=Once(), patience=600.0, uses=scenario.first_provider)}
    phases = tuple(
        phase.model_copy(update={"users": Ramp(1, 1), "arrivals": None, "mix": None}) for phase in scenario.phases
    )
    expect = tuple(kept for each in scenario.expect if (kept := _of_anybody(each)) is not None)
    return scenario.model_copy(update={"crowd": crowd, "phases": phases, "expect": expect})


def _of_anybody(expectation: Expectation) -> Expectation | None:
    """What is left of it for a client that is not the scenario's own; None: nothing."""
    if expectation.group is not None or expectation.tier is not None:
        return None
    texts = ((name, getattr(expectation, name)) for name, _ in expectation.thresholds())
    kept = {name: text for name, text in texts if _good(name, text)}
    scope = {"phase": expectation.phase, "provider": expectation.provider}
    return Expectation(**scope, **kept) if kept else None


def _good(measure: str, text: str) -> bool:
    """Whether an expectation asks of one client what is good for its user."""
    known = CATALOGUE[measure]
    return known.one_client and text.startswith(">" if known.better == "high" else "<")


def _long(phase: Phase, speed: float) -> Phase:
    faults = tuple(
        _with_end(each, phase.lasts) if isinstance(each, Maintenance) and each.lasts is None else each
        for each in phase.faults
    )
    return phase.model_copy(update={"lasts": max(phase.lasts, _HELD * speed), "faults": faults})


def _with_end(fault: Maintenance, lasts: float) -> Maintenance:
    """Without an end there is nothing to count down to: it tells clients to wait as long as it lasted in the file."""
    if fault.maintenance.retry_after != "until_end":
        return fault
    return fault.model_copy(update={"maintenance": fault.maintenance.model_copy(update={"retry_after": lasts})})


def starting_at(scenario: Scenario, phase: str) -> Scenario:
    """The scenario from this phase on, with what has begun before and holds still. KeyError: no such phase."""
    spans = {span.name: span for span in phase_spans(scenario.phases)}
    start, names = spans[phase].start, list(spans)
    first, *later = scenario.phases[names.index(phase) :]
    before = [span for span in fault_spans(scenario.phases, scenario.first_provider) if span.start < start < span.end]
    carried = tuple(_rest(span, start) for span in before)
    phases = (first.model_copy(update={"faults": (*carried, *first.faults)}), *later)
    kept = {each.name for each in phases}
    return scenario.model_copy(
        update={
            "phases": phases,
            "status_page": _said_from(scenario.status_page, tuple(spans.values()), start),
            "expect": tuple(each for each in scenario.expect if each.phase is None or each.phase in kept),
        }
    )


def _rest(span: FaultSpan, start: float) -> FaultBase:
    """What is left of a fault; its share ramps on from where it was."""
    share = span.fault.share
    rest = {"at": 0.0, "lasts": span.end - start, "share": Ramp(share.at(span.progress(start)), share.last)}
    return span.fault.model_copy(update=rest)


def _said_from(
    updates: tuple[StatusUpdate, ...], spans: tuple[PhaseSpan, ...], start: float
) -> tuple[StatusUpdate, ...]:
    """The last word before, and all after it, each at its offset to the new beginning."""
    told = sorted(((moment(update.at, spans) - start, update) for update in updates), key=lambda each: each[0])
    last = max((at for at, _ in told if at <= 0), default=0.0)
    return tuple(
        update.model_copy(update={"at": duration_text(round(max(0.0, at), 3))}) for at, update in told if at >= last
    )

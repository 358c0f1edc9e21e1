"""A scenario in, the same scenario for another purpose out. Pure; what is not named here stays as it is."""

from mockbot.scenario.faults import Maintenance
from mockbot.scenario.policies import Once
from mockbot.scenario.schema import Expectation, Group, Phase, Scenario, StatusUpdate
from mockbot.scenario.spans import PhaseSpan, moment, phase_spans
from mockbot.scenario.units import Ramp

GUEST = "command"  # the group of a client that is not ours
_HELD = 3600.0  # wall seconds; who holds a phase longer begins it again


def held(scenario: Scenario, phase: str, speed: float) -> Scenario:
    """The scenario with one phase that goes on and on. What ramps over the phase keeps its first value."""
    phases = tuple(_long(each, speed) if each.name == phase else each for each in scenario.phases)
    return scenario.model_copy(update={"phases": phases})


def for_guest(scenario: Scenario) -> Scenario:
    """The scenario with one client in the place of the crowd; expectations of the crowd's groups and tiers are gone."""
    crowd = {GUEST: Group(users=1.0, policy=Once(), patience=600.0, uses=scenario.first_provider)}
    phases = tuple(
        phase.model_copy(update={"users": Ramp(1, 1), "arrivals": None, "mix": None}) for phase in scenario.phases
    )
    expect = tuple(each for each in scenario.expect if not of_the_crowd(each))
    return scenario.model_copy(update={"crowd": crowd, "phases": phases, "expect": expect})


def of_the_crowd(expectation: Expectation) -> bool:
    """Whether it is about some of the scenario's own clients, and so about nobody else."""
    return expectation.group is not None or expectation.tier is not None


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
    """The scenario without the phases before this one, and without what is said of them. KeyError: no such phase."""
    names = [each.name for each in scenario.phases]
    if phase not in names:
        raise KeyError(phase)
    phases = scenario.phases[names.index(phase) :]
    kept = {each.name for each in phases}
    spans = phase_spans(phases)
    return scenario.model_copy(
        update={
            "phases": phases,
            "status_page": tuple(update for update in scenario.status_page if _is_said(update, spans)),
            "expect": tuple(each for each in scenario.expect if each.phase is None or each.phase in kept),
        }
    )


def _is_said(update: StatusUpdate, spans: tuple[PhaseSpan, ...]) -> bool:
    """Relative to a phase that is there; a plain offset counts from a start that is gone."""
    if update.at[:1].isdigit():
        return False
    try:
        return moment(update.at, spans) >= 0.0
    except KeyError:
        return False

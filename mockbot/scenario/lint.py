"""What is valid in a scenario but rarely intended, at the speed that it is to run at. Pure.

The rules: a phase lasts at least as long as the longest wait of its clients (a timeout, or their patience when that is
shorter), because a longer wait is decided in a later phase; an answer takes at least ANSWER of wall time, because a
shorter one is within the machine's scheduling noise, which `speed` does not divide; all is well while nothing is wrong:
no provider is asked for more than BUSY of what it can answer, and nobody waits in vain for more than LATE of it; the
status page ends what it has begun.
"""

from collections.abc import Iterator

from mockbot.scenario.answer_law import mean_seconds
from mockbot.scenario.calm import calm_of, timeout_of
from mockbot.scenario.parts import ENDS
from mockbot.scenario.problems import Problem
from mockbot.scenario.schema import Scenario
from mockbot.scenario.spans import moment, phase_spans
from mockbot.units.formatting import format_percent, format_wall
from mockbot.units.quantities import duration_text

ANSWER = 0.06  # wall seconds
BUSY = 0.95  # of a provider's capacity
LATE = 0.02  # of the answers; a prompt more in fifty is no calm to compare an outage with


def lint(scenario: Scenario, speed: float | None = None) -> tuple[Problem, ...]:
    """Every doubt, in the order of the file; `speed` None: the scenario's own."""
    doubts: list[Problem] = []
    speed = speed or scenario.speed
    for name, provider in scenario.providers.items():
        takes = mean_seconds(provider.answer)
        if takes / speed < ANSWER:
            message = (
                f"at speed {speed:g} an answer lasts {format_wall(takes / speed)}, below this machine's scheduling "
                f"noise ({format_wall(ANSWER)}): use longer answers or `speed: {takes / ANSWER:.3g}`"
            )
            doubts.append(Problem(("providers", name), message))
    name = max(scenario.crowd, key=lambda name: timeout_of(scenario.crowd[name]))
    wait = timeout_of(scenario.crowd[name])
    for index, phase in enumerate(scenario.phases):
        if phase.lasts < wait:
            message = (
                f"{duration_text(phase.lasts)} is less than {name!r} waits for one attempt, {duration_text(wait)}: "
                "what hangs in this phase is decided in a later one"
            )
            doubts.append(Problem(("phases", index, "lasts"), message))
    return (*doubts, *_unwell(scenario), *_unheard(scenario))


def _unheard(scenario: Scenario) -> Iterator[Problem]:
    """Ends of incidents that never began: the page would show nothing of them."""
    spans, is_open = phase_spans(scenario.phases), False
    for index, update in sorted(enumerate(scenario.status_page), key=lambda each: moment(each[1].at, spans)):
        if update.state in ENDS and not is_open:
            message = f"{update.state!r} ends nothing, so the page shows nothing of it: begin with another state"
            yield Problem(("status_page", index, "state"), message)
        is_open = update.state not in ENDS


def _unwell(scenario: Scenario) -> Iterator[Problem]:
    """What is wrong before anything goes wrong."""
    calm = calm_of(scenario)
    if calm is None:
        return
    phase = scenario.phases[calm.phase].name
    for name, load in calm.load.items():
        if load > BUSY:
            message = (
                f"in {phase!r}, where nothing is wrong, its users ask for {format_percent(load)} of what it can "
                "answer: give it more slots, or fewer users"
            )
            yield Problem(("providers", name), message)
    for name, late in calm.late.items():
        if late > LATE:
            wait = duration_text(timeout_of(scenario.crowd[name]))
            message = (
                f"{format_percent(late)} of the answers take longer than the {wait} that it waits for one, while "
                "nothing is wrong: make answers shorter, or its timeout longer"
            )
            yield Problem(("crowd", name), message)

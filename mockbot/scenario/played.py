"""What was really played, as a scenario: stretches of others in, one after another, one scenario out. Pure.

A stretch begins at second 0 of a scenario and was ended by hand: no fault held any longer at `ended`, and the next one
began at `lasts`. Phases that come again are named `blackout-2` and so on. The status page is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mockbot.scenario.schema import Phase, Scenario
from mockbot.scenario.spans import fault_spans, phase_spans
from mockbot.units.quantities import Ramp


@dataclass(frozen=True, slots=True)
class Stretch:
    """A scenario, when its faults were ended, and when it was over; seconds, `ended <= lasts`."""

    scenario: Scenario
    ended: float
    lasts: float


@dataclass(frozen=True, slots=True)
class Played:
    """`faults`: for each stretch, the id of each of its faults -> its id in `scenario`."""

    scenario: Scenario
    faults: tuple[Mapping[str, str], ...]


def played(stretches: Sequence[Stretch]) -> Played:
    """One scenario of at least one stretch. What is expected of phases that were not played is left out."""
    phases: dict[str, Phase] = {}
    ids = []
    for stretch in stretches:
        renamed: dict[str, str] = {}
        for phase, kept in _cut(stretch):
            names = (phase.name, *(f"{phase.name}-{number}" for number in range(2, len(phases) + 2)))
            name = next(name for name in names if name not in phases)
            phases[name] = phase.model_copy(update={"name": name})
            renamed |= {id_: f"{name}.{new}.{id_.rpartition('.')[2]}" for new, id_ in enumerate(kept)}
        ids.append(renamed)
    first = stretches[0].scenario
    expect = tuple(each for each in first.expect if each.phase is None or each.phase in phases)
    update = {"phases": tuple(phases.values()), "status_page": (), "expect": expect}
    return Played(first.model_copy(update=update), tuple(ids))


def _cut(stretch: Stretch) -> list[tuple[Phase, list[str]]]:
    """Its phases up to its end, each with the ids of the faults that it still has."""
    scenario, cut = stretch.scenario, []
    spans = phase_spans(scenario.phases)
    faults = fault_spans(scenario.phases, scenario.first_provider)
    for phase, span in zip(scenario.phases, spans, strict=True):
        if span.start >= stretch.lasts:
            break
        kept = [each for each in faults if each.phase == phase.name and each.start < stretch.ended]
        held = []
        for each in kept:
            end = min(each.end, stretch.ended)
            share = Ramp(each.fault.share.first, each.fault.share.at(each.progress(end)))
            held.append(each.fault.model_copy(update={"lasts": round(end - each.start, 3), "share": share}))
        end = stretch.lasts if span is spans[-1] else min(span.end, stretch.lasts)
        lasts = round(end - span.start, 3)
        cut.append((phase.model_copy(update={"lasts": lasts, "faults": tuple(held)}), [each.id for each in kept]))
    return cut

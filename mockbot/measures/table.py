"""The table of measures: the families in the order of the language. Pure.

The language (`expect:`), its schema and documentation, the formatting, the comparison, every report and export read it.
A new measure is one entry in the module of its family. An unknown name raises KeyError.
"""

from collections.abc import Mapping

from mockbot.measures import (
    complaints,
    demand,
    hysteresis,
    objective,
    outages,
    percentiles,
    prompts,
    providers,
    system,
    user_outages,
)
from mockbot.measures.counter_protocols import Counters
from mockbot.measures.measure import Measure, Place
from mockbot.measures.values import Value

FAMILIES = (prompts, user_outages, demand, percentiles, outages, complaints, objective, providers, hysteresis, system)
TABLE: Mapping[str, Measure] = {measure.name: measure for family in FAMILIES for measure in family.MEASURES}
EXPECTED = tuple(measure for measure in TABLE.values() if measure.better)


def shown(place: Place) -> tuple[Measure, ...]:
    """The measures of one place of the reports, in the order of the table."""
    return tuple(measure for measure in TABLE.values() if place in measure.shown)


def measure_all(counted: Counters) -> dict[str, Value]:
    """Every measure in the scope of the counters."""
    return {name: measure.value(counted) for name, measure in TABLE.items()}

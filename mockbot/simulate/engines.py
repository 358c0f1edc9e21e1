"""Which engine plays a scenario: a name in, a run that can be played out, or a refusal that names what it cannot do.

reference   everything; some ten thousand attempts a second
fast        a subset, the same in distribution; some million attempts a second (extra `fast`)

Two, because the reference, its capacity model and its clients make 45,000 to 69,000 events a second when mypyc compiles
them, and 34,000 to 41,000 interpreted (2,000 users, one hour, same machine and minute). A million users for an hour in
three minutes are 1,060,000 events a second.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, Union

from mockbot.errors import UsageError
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.change_points import Sink
from mockbot.simulate.fast.refusals import refusals
from mockbot.simulate.reference.engine import Reference

if TYPE_CHECKING:
    from mockbot.simulate.fast.engine import Fast

Engine = Literal["reference", "fast"]
EngineName = Literal["auto", "reference", "fast"]
Run = Union[Reference, "Fast"]

MANY = 500_000  # prompts from which the reference takes longer than the fast engine takes to start


def choose(name: EngineName, scenario: Scenario) -> Engine:
    """The engine to take. Raises UsageError when it cannot play this scenario."""
    if name == "fast":
        if found := _why_not_fast(scenario):
            raise UsageError(f"--engine fast: {found}")
        return "fast"
    return "reference" if name == "reference" or prompts(scenario) <= MANY else fastest(scenario)


def fastest(scenario: Scenario) -> Engine:
    """The fast engine where it is installed and can play this scenario."""
    return "reference" if _why_not_fast(scenario) else "fast"


def start(name: Engine, scenario: Scenario, seed: int, sink: Sink, *, services_only: bool = False) -> Run:
    """A run of the chosen engine, at its beginning. `services_only`: next to no users need to be recorded."""
    if name == "reference":
        return Reference(scenario, seed, sink)
    from mockbot.simulate.fast.engine import NOBODY, Fast  # noqa: PLC0415 - numba is an extra

    return Fast(scenario, seed, sink, NOBODY if services_only else None)


def prompts(scenario: Scenario) -> float:
    """About how many will be asked when all goes well."""
    timeline = Timeline(scenario)
    total = 0.0
    for phase in timeline.phases:
        now = timeline.at((phase.start + phase.end) / 2)
        thinks = sum(users / max(1.0, scenario.crowd[group].think) for group, users in now.users.items())
        asks = sum(rate * scenario.crowd[group].session for group, rate in now.arrivals.items())
        total += (phase.end - phase.start) * (thinks + asks)
    return total


def _why_not_fast(scenario: Scenario) -> str:
    if find_spec("numba") is None:
        return "it needs numba: pip install 'mockbot[fast]'"
    found = refusals(scenario)
    return f"it cannot express {'; '.join(found)}. Take --engine reference" if found else ""

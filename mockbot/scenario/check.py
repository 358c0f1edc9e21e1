"""What a Scenario says about itself that no single value can show: names that must exist, sums, spans that must fit.

In: a Scenario whose parts are each valid. Out: every Problem with its path. Pure; used for files and for Scenarios made
in Python alike.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations
from typing import Literal

from mockbot.faults.union import FaultBase, ServiceFault, Shed, WireFault
from mockbot.scenario.parts import Group, ScenarioParts
from mockbot.scenario.spans import FaultSpan, PhaseSpan, fault_spans, moment, phase_spans
from mockbot.units.quantities import Ramp, duration_text, share_text

Path = tuple[str | int, ...]
Loop = Literal["users", "arrivals"]

NEARLY = 1e-6  # thirds may be written 33.3333%
MOST_FLAPS = 100_000
WHOLE_PROVIDER = frozenset({"capacity", "crash", "down"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path of the file; `at_key` when the key itself is wrong, not its value."""

    path: Path
    message: str
    at_key: bool = False


def nearest(word: str, known: Collection[str]) -> str:
    """ "; did you mean 'latency'?", or what there is when nothing is near."""
    if match := get_close_matches(word, known, n=1):
        return f"; did you mean {match[0]!r}?"
    return f"; there is {', '.join(map(repr, known))}" if 0 < len(known) <= 12 else ""


def problems(scenario: ScenarioParts) -> tuple[Problem, ...]:
    """Everything that does not fit together, in the order of the file."""
    return (
        *_providers(scenario),
        *_crowd(scenario),
        *_phases(scenario),
        *_faults(scenario),
        *_status_page(scenario),
        *_expectations(scenario),
    )


def _unknown(
    path: Path, what: str, word: str | None, known: Collection[str], *, at_key: bool = False
) -> Iterator[Problem]:
    if word is not None and word not in known:
        yield Problem(path, f"{word!r} is not a {what} of this scenario{nearest(word, known)}", at_key)


def _providers(scenario: ScenarioParts) -> Iterator[Problem]:
    for name, provider in scenario.providers.items():
        for index, tier in enumerate(provider.queue.first):
            yield from _unknown(("providers", name, "queue", "first", index), "tier", tier, _tiers(scenario))


def _crowd(scenario: ScenarioParts) -> Iterator[Problem]:
    for name, group in scenario.crowd.items():
        yield from _group(scenario, ("crowd", name), group)
    for loop in ("users", "arrivals"):
        shares = _shares(scenario, loop)
        if shares and all(map(_in_one_loop, scenario.crowd.values())):
            yield from _sum(("crowd",), f"shares of {loop}", shares.values())


def _group(scenario: ScenarioParts, path: Path, group: Group) -> Iterator[Problem]:
    if not _in_one_loop(group):
        found = "neither 'users' nor 'arrivals'" if group.users is None else "both 'users' and 'arrivals'"
        yield Problem(path, f"has {found}; a group needs one of them, as a share such as 'users: 60%'")
    for key, value in (("burst", group.burst), ("session", group.session)):
        if group.arrivals is None and value != 1:
            yield Problem((*path, key), f"{key!r} is for those who arrive; this group has no 'arrivals'", at_key=True)
    yield from _unknown((*path, "uses"), "provider", group.uses, scenario.providers)
    yield from _unknown((*path, "falls_over_to"), "provider", group.falls_over_to, scenario.providers)
    if group.falls_over_to == (group.uses or scenario.first_provider):
        yield Problem((*path, "falls_over_to"), f"{group.falls_over_to!r} is the provider that the group uses anyway")


def _in_one_loop(group: Group) -> bool:
    return (group.users is None) != (group.arrivals is None)


def _shares(scenario: ScenarioParts, loop: Loop) -> dict[str, float]:
    said = ((name, getattr(group, loop)) for name, group in scenario.crowd.items() if _in_one_loop(group))
    return {name: share for name, share in said if share is not None}


def _sum(path: Path, what: str, shares: Collection[float]) -> Iterator[Problem]:
    total = sum(shares)
    if abs(total - 1) > NEARLY:
        yield Problem(path, f"{what} sum to {share_text(round(total, 6))}, not to 100%")


def _phases(scenario: ScenarioParts) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, phase in enumerate(scenario.phases):
        path: Path = ("phases", index)
        if first.setdefault(phase.name, index) != index:
            yield Problem((*path, "name"), f"{phase.name!r} is also the name of phases.{first[phase.name]}")
        yield from _headcount(scenario, index)
        yield from _mix(scenario, (*path, "mix"), phase.mix or {})


def _headcount(scenario: ScenarioParts, index: int) -> Iterator[Problem]:
    phase, path = scenario.phases[index], ("phases", index)
    for loop, said in (("users", phase.users), ("arrivals", phase.arrivals)):
        groups = _shares(scenario, "users" if loop == "users" else "arrivals")
        if said is not None and not groups:
            yield Problem((*path, loop), f"no group of the crowd has a share of {loop}")
        if said is None and groups and index == 0:
            yield Problem(
                path, f"the first phase must say '{loop}', because {next(iter(groups))!r} has a share of them"
            )


def _mix(scenario: ScenarioParts, path: Path, mix: Mapping[str, float]) -> Iterator[Problem]:
    for name in mix:
        yield from _unknown((*path, name), "group", name, scenario.crowd, at_key=True)
    for loop in ("users", "arrivals"):
        shares = [share for name, share in mix.items() if name in _shares(scenario, loop)]
        if shares:
            yield from _sum(path, f"shares of {loop}", shares)


def _faults(scenario: ScenarioParts) -> Iterator[Problem]:
    phases = phase_spans(scenario.phases)
    spans = fault_spans(scenario.phases, scenario.first_provider)
    paths = [
        ("phases", phase, "faults", index)
        for phase, whole in enumerate(scenario.phases)
        for index in range(len(whole.faults))
    ]
    for path, span in zip(paths, spans, strict=True):
        yield from _unknown((*path, "on"), "provider", span.fault.on, scenario.providers)
        yield from _span(path, span, phases)
        yield from _scope(scenario, path, span.fault)
        yield from _whole(path, span.fault)
    for (_, one), (path, other) in combinations(zip(paths, spans, strict=True), 2):
        yield from _overlap(path, one, other)


def _span(path: Path, span: FaultSpan, phases: Sequence[PhaseSpan]) -> Iterator[Problem]:
    phase = next(phase for phase in phases if phase.name == span.phase)
    end = phases[-1].end
    if span.start >= phase.end:
        lasts = duration_text(phase.end - phase.start)
        yield Problem(
            (*path, "at"), f"{duration_text(span.fault.at)} is after phase {phase.name!r}, which lasts {lasts}"
        )
    elif span.end > end + NEARLY:
        fits = duration_text(round(end - span.start, 3))
        said = duration_text(span.fault.lasts or 0.0)
        yield Problem((*path, "lasts"), f"{said} goes beyond the end of the scenario; {fits} is left from its start")
    elif span.fault.flap and (span.end - span.start) / span.fault.flap.period > MOST_FLAPS:
        yield Problem((*path, "flap"), f"goes on and off more than {MOST_FLAPS:,} times; give it a longer period")


def _scope(scenario: ScenarioParts, path: Path, fault: FaultBase) -> Iterator[Problem]:
    if isinstance(fault, ServiceFault):
        yield from _unknown((*path, "tier"), "tier", fault.tier, _tiers(scenario))
    if isinstance(fault, Shed):
        for tier in fault.shed.admit:
            yield from _unknown((*path, "shed", "admit", tier), "tier", tier, _tiers(scenario), at_key=True)


def _whole(path: Path, fault: FaultBase) -> Iterator[Problem]:
    """Some faults hit the whole provider; narrowing them would say nothing."""
    if fault.kind not in WHOLE_PROVIDER:
        return
    for key, default in (
        ("share", Ramp(1.0, 1.0)),
        ("tier", None),
        ("keys", None),
        ("endpoint", None),
        ("stream", "downstream"),
    ):
        if getattr(fault, key, default) != default:
            yield Problem(
                (*path, key), f"{fault.kind!r} hits the whole provider and cannot be narrowed by {key!r}", at_key=True
            )


def _tiers(scenario: ScenarioParts) -> tuple[str, ...]:
    """Every tier that a group has or a provider limits; whoever has no key is "free"."""
    groups = (group.tier for group in scenario.crowd.values())
    limits = (tier for each in scenario.providers.values() for tier in (*each.limits, *each.token_limits))
    return tuple(dict.fromkeys((*groups, *limits, "free")))


def _overlap(path: Path, one: FaultSpan, other: FaultSpan) -> Iterator[Problem]:
    """Two of a kind may share the requests between them; hitting the same ones twice cannot be meant."""
    together = min(one.end, other.end) - max(one.start, other.start)
    if together <= NEARLY or _aim(one) != _aim(other):
        return
    if one.fault.share.most + other.fault.share.most > 1 + NEARLY:
        yield Problem(
            path,
            f"{other.fault.kind!r} on {other.provider!r} overlaps {one.id!r} for {duration_text(round(together, 3))}; "
            "give them different times, or shares that sum to at most 100%",
        )


def _aim(span: FaultSpan) -> tuple[object, ...]:
    fault = span.fault
    narrowed: tuple[object, ...] = ()
    if isinstance(fault, ServiceFault):
        narrowed = (fault.tier, fault.keys, fault.endpoint)
    if isinstance(fault, WireFault):
        narrowed = (fault.stream,)
    return (span.provider, fault.kind, *narrowed)


def _status_page(scenario: ScenarioParts) -> Iterator[Problem]:
    phases = phase_spans(scenario.phases)
    for index, update in enumerate(scenario.status_page):
        path: Path = ("status_page", index)
        yield from _unknown((*path, "provider"), "provider", update.provider, scenario.providers)
        yield from _moment((*path, "at"), update.at, phases)


def _moment(path: Path, text: str, phases: Sequence[PhaseSpan]) -> Iterator[Problem]:
    try:
        t = moment(text, phases)
    except KeyError as error:
        yield from _unknown(path, "phase", str(error.args[0]), [phase.name for phase in phases])
    except ValueError as error:
        yield Problem(path, str(error))
    else:
        if not 0 <= t <= phases[-1].end:
            where = "before the scenario begins" if t < 0 else "after the scenario has ended"
            yield Problem(path, f"{text!r} is {where}")


def _expectations(scenario: ScenarioParts) -> Iterator[Problem]:
    for index, expected in enumerate(scenario.expect):
        path: Path = ("expect", index)
        yield from _unknown((*path, "phase"), "phase", expected.phase, [phase.name for phase in scenario.phases])
        yield from _unknown((*path, "group"), "group", expected.group, scenario.crowd)
        yield from _unknown((*path, "tier"), "tier", expected.tier, _tiers(scenario))
        yield from _unknown((*path, "provider"), "provider", expected.provider, scenario.providers)
        if not expected.thresholds():
            yield Problem(path, "names no measure; for instance 'availability: \">= 99%\"'")

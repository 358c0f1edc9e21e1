"""Check a Scenario as a whole: names that must exist, shares that must sum to 100%, times that must fit.

In: a Scenario whose parts are each valid. Out: every Problem with its path. Pure; used for files and for Scenarios made
in Python alike.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations

from mockbot.faults.base import SYSTEM, FaultBase, ServiceFault, WireFault
from mockbot.scenario.parts import NO_LIMIT, Provider, ScenarioParts
from mockbot.scenario.spans import FaultSpan, PhaseSpan, fault_spans, phase_spans, published
from mockbot.units.quantities import duration_text, share_text

Path = tuple[str | int, ...]

NEARLY = 1e-6  # thirds may be written 33.3333%
MOST_FLAPS = 100_000  # each is two changes that a run applies and journals
LOOPS = ("users", "arrivals")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path of the file; `at_key` when the key itself is wrong, not its value."""

    path: Path
    message: str
    at_key: bool = False


def nearest(word: str, known: Collection[str]) -> str:
    """ "; did you mean 'latency'?"; when nothing is similar, all known words, unless there are more than 30."""
    if match := get_close_matches(word, known, n=1, cutoff=0.62):
        return f"; did you mean {match[0]!r}?"
    return f"; there is {', '.join(map(repr, known))}" if 0 < len(known) <= 30 else ""


def problems(scenario: ScenarioParts) -> tuple[Problem, ...]:
    """Everything that does not fit together, in the order of the file."""
    return (
        *_reserved(scenario),
        *_providers_and_crowd(scenario),
        *_phases(scenario),
        *_faults(scenario),
        *_status_page(scenario),
        *_expectations(scenario),
    )


def _reserved(scenario: ScenarioParts) -> Iterator[Problem]:
    if SYSTEM in scenario.providers:
        message = f"{SYSTEM!r} is the system under test in `on: {SYSTEM}`; give the provider another name"
        yield Problem(("providers", SYSTEM), message, at_key=True)


def _providers_and_crowd(scenario: ScenarioParts) -> Iterator[Problem]:
    for name, provider in scenario.providers.items():
        yield from _not_made_here(("providers", name), provider)
        for index, tier in enumerate(provider.queue.first):
            yield from _unknown(("providers", name, "queue", "first", index), "tier", tier, _tiers(scenario))
    for name, group in scenario.crowd.items():
        path: Path = ("crowd", name)
        if (group.users is None) == (group.arrivals is None):
            found = "neither 'users' nor 'arrivals'" if group.users is None else "both 'users' and 'arrivals'"
            yield Problem(path, f"has {found}; a group needs one of them, as a share such as 'users: 60%'")
        for key, value in (("burst", group.burst), ("session", group.session)):
            if group.arrivals is None and value != 1:
                message = f"{key!r} is for those who arrive; this group has no 'arrivals'"
                yield Problem((*path, key), message, at_key=True)
        yield from _unknown((*path, "uses"), "provider", group.uses, scenario.providers)
        yield from _unknown((*path, "falls_over_to"), "provider", group.falls_over_to, scenario.providers)
        if group.falls_over_to == (group.uses or scenario.first_provider):
            message = f"{group.falls_over_to!r} is the provider that the group uses anyway"
            yield Problem((*path, "falls_over_to"), message)
    shares = {loop: _shares(scenario, loop) for loop in LOOPS}
    if sum(map(len, shares.values())) == len(scenario.crowd):  # otherwise a group has the problem above
        for loop, of_groups in shares.items():
            yield from _sum(("crowd",), loop, of_groups.values())


# What describes answers that mockbot makes up.
_MADE = ("answer", "answers", "models", "token_limits", "abandoned_work", "replicas")


def _not_made_here(path: Path, provider: Provider) -> Iterator[Problem]:
    if provider.makes_answers:
        return
    key = "replay" if provider.replay else "upstream"
    if provider.replay and provider.upstream is not None:
        yield Problem((*path, "replay"), "a provider is an upstream or a replay, not both", at_key=True)
    for name in _MADE:
        if getattr(provider, name) != Provider.model_fields[name].get_default(call_default_factory=True):
            message = f"{name!r} is for answers that mockbot makes up; those of {key!r} are as they are"
            yield Problem((*path, name), message, at_key=True)


def _shares(scenario: ScenarioParts, loop: str) -> dict[str, float]:
    """The shares of the groups that are in this loop and not in the other one, too."""
    in_one = {
        name: group for name, group in scenario.crowd.items() if (group.users is None) != (group.arrivals is None)
    }
    return {name: share for name, group in in_one.items() if (share := getattr(group, loop)) is not None}


def _sum(path: Path, loop: str, shares: Collection[float]) -> Iterator[Problem]:
    if shares and abs(sum(shares) - 1) > NEARLY:
        yield Problem(path, f"shares of {loop} sum to {share_text(round(sum(shares), 6))}, not to 100%")


def _phases(scenario: ScenarioParts) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, phase in enumerate(scenario.phases):
        path: Path = ("phases", index)
        mix = phase.mix or {}
        if first.setdefault(phase.name, index) != index:
            yield Problem((*path, "name"), f"{phase.name!r} is also the name of phases.{first[phase.name]}")
        for name in mix:
            yield from _unknown((*path, "mix", name), "group", name, scenario.crowd, at_key=True)
        for loop in LOOPS:
            groups, given = _shares(scenario, loop), getattr(phase, loop) is not None
            if given and not groups:
                yield Problem((*path, loop), f"no group of the crowd has a share of {loop}")
            if groups and index == 0 and not given:
                message = f"the first phase must say {loop!r}, because {next(iter(groups))!r} has a share of them"
                yield Problem(path, message)
            yield from _sum((*path, "mix"), loop, [mix[name] for name in mix if name in groups])


def _faults(scenario: ScenarioParts) -> Iterator[Problem]:
    phases = phase_spans(scenario.phases)
    lengths = [len(phase.faults) for phase in scenario.phases]
    paths: list[Path] = [("phases", phase, "faults", nth) for phase, n in enumerate(lengths) for nth in range(n)]
    spans = fault_spans(scenario.phases, scenario.first_provider)
    for path, span in zip(paths, spans, strict=True):
        if span.fault.on != SYSTEM:
            yield from _unknown((*path, "on"), "provider", span.fault.on, scenario.providers)
        yield from _on_system(path, span)
        yield from _span(path, span, phases)
        yield from _narrowing(scenario, path, span.fault)
        provider = scenario.providers.get(span.provider)
        if span.fault.kind == "capacity" and provider and not provider.makes_answers and provider.slots == NO_LIMIT:
            yield Problem(path, f"{span.provider!r} has no limit that could be reduced; give it 'slots'")
        if not span.fault.share.most:
            yield Problem((*path, "share"), "0% hits nothing, so nothing is tested; give it a share or leave it out")
    for (_, one), (path, other) in combinations(zip(paths, spans, strict=True), 2):
        # Two of a kind may share the requests between them; hitting the same ones twice cannot be meant.
        together = min(one.end, other.end) - max(one.start, other.start)
        shares = one.fault.share.most + other.fault.share.most
        if together > NEARLY and shares > 1 + NEARLY and _aim(one) == _aim(other):
            yield Problem(
                path,
                f"{other.fault.kind!r} on {other.provider!r} overlaps {one.id!r} for "
                f"{duration_text(round(together, 3))}; give them different times, or shares that sum to at most 100%",
            )


def _on_system(path: Path, span: FaultSpan) -> Iterator[Problem]:
    fault = span.fault
    if span.provider == SYSTEM and fault.layer in {"service", "tls"}:
        message = f"{fault.kind!r} happens at a provider; on the system there are 'restart' and faults of the wire"
        yield Problem((*path, "on"), message)
    if fault.only_on is not None and span.provider != fault.only_on:
        yield Problem((*path, "on"), f"{fault.kind!r} is for the {fault.only_on} only; a provider may have 'crash'")


def _span(path: Path, span: FaultSpan, phases: Sequence[PhaseSpan]) -> Iterator[Problem]:
    phase = next(phase for phase in phases if phase.name == span.phase)
    end = phases[-1].end
    if span.start >= phase.end:
        lasts = duration_text(phase.end - phase.start)
        message = f"{duration_text(span.fault.at)} is after phase {phase.name!r}, which lasts {lasts}"
        yield Problem((*path, "at"), message)
    elif span.end > end + NEARLY:
        lasts, left = duration_text(span.fault.length or 0.0), duration_text(round(end - span.start, 3))
        yield Problem((*path, "lasts"), f"{lasts} goes beyond the end of the scenario; {left} is left from its start")
    elif span.fault.flap and (span.end - span.start) / span.fault.flap.period > MOST_FLAPS:
        yield Problem((*path, "flap"), f"goes on and off more than {MOST_FLAPS:,} times; give it a longer period")


def _narrowing(scenario: ScenarioParts, path: Path, fault: FaultBase) -> Iterator[Problem]:
    if isinstance(fault, ServiceFault):
        yield from _replica(scenario, path, fault)
        for inside, tier in fault.tiers():
            at_key = inside[-1] == tier  # as in `shed`, where a mapping's keys are tiers
            yield from _unknown((*path, *inside), "tier", tier, _tiers(scenario), at_key=at_key)
    if fault.whole_provider:
        fields = type(fault).model_fields
        for key in ("share", "tier", "keys", "endpoint", "stream"):
            if key in fields and getattr(fault, key) != fields[key].default:
                message = f"{fault.kind!r} hits the whole provider and cannot be narrowed by {key!r}"
                yield Problem((*path, key), message, at_key=True)


def _replica(scenario: ScenarioParts, path: Path, fault: ServiceFault) -> Iterator[Problem]:
    name = fault.on or scenario.first_provider
    provider = scenario.providers.get(name)
    if fault.replica is None or provider is None or fault.replica <= provider.replicas > 1:
        return
    has = f"{name!r} has replicas 1 to {provider.replicas}"
    if provider.replicas == 1:
        has = f"{name!r} is one process; give it 'replicas', or leave 'replica' out"
    yield Problem((*path, "replica"), f"there is no replica {fault.replica}: {has}")


def _aim(span: FaultSpan) -> tuple[object, ...]:
    """What two faults have in common when they hit the same requests or connections."""
    fault = span.fault
    if isinstance(fault, ServiceFault):
        return span.provider, fault.kind, fault.tier, fault.keys, fault.endpoint, fault.replica
    return span.provider, fault.kind, fault.stream if isinstance(fault, WireFault) else None


def _status_page(scenario: ScenarioParts) -> Iterator[Problem]:
    phases = phase_spans(scenario.phases)
    for index, update in enumerate(scenario.status_page):
        path: Path = ("status_page", index)
        yield from _unknown((*path, "provider"), "provider", update.provider, scenario.providers)
        try:
            t = published(update, phases)
        except KeyError as error:
            known = [phase.name for phase in phases]
            yield from _unknown((*path, "at"), "phase", str(error.args[0]), known)
        except ValueError as error:
            yield Problem((*path, "at"), str(error))
        else:
            if not 0 <= t <= phases[-1].end:
                where = "before the scenario begins" if t < 0 else "after the scenario has ended"
                yield Problem((*path, "at"), f"{update.at!r} is {where}")


def _expectations(scenario: ScenarioParts) -> Iterator[Problem]:
    for index, expected in enumerate(scenario.expect):
        path: Path = ("expect", index)
        yield from _unknown((*path, "phase"), "phase", expected.phase, [phase.name for phase in scenario.phases])
        yield from _unknown((*path, "group"), "group", expected.group, scenario.crowd)
        yield from _unknown((*path, "tier"), "tier", expected.tier, _tiers(scenario))
        yield from _unknown((*path, "provider"), "provider", expected.provider, scenario.providers)
        for measure, text, threshold in expected.thresholds():
            at = (*path, measure.name)
            yield from _unknown(at, "phase", threshold.phase, [phase.name for phase in scenario.phases])
            if threshold.phase is not None and threshold.phase == expected.phase:
                yield Problem(at, f"{text!r} is relative to the phase itself that it is about; name another one")
        if not expected.thresholds():
            yield Problem(path, "names no measure; for instance 'availability: \">= 99%\"'")


def _unknown(
    path: Path, what: str, word: str | None, known: Collection[str], *, at_key: bool = False
) -> Iterator[Problem]:
    if word is not None and word not in known:
        yield Problem(path, f"{word!r} is not a {what} of this scenario{nearest(word, known)}", at_key)


def _tiers(scenario: ScenarioParts) -> tuple[str, ...]:
    """Every tier that a group has or a provider limits; a client without a key is "free"."""
    groups = (group.tier for group in scenario.crowd.values())
    limits = (tier for each in scenario.providers.values() for tier in (*each.limits, *each.token_limits))
    return tuple(dict.fromkeys((*groups, *limits, "free")))

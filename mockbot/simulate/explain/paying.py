"""What do paying users get? By tier: the file as written, with them served first, and with the others refused."""

from mockbot.faults.effects import SlotFactor
from mockbot.faults.shed import Shed
from mockbot.scenario.calm import timeout_of
from mockbot.scenario.policies import Once
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Law
from mockbot.simulate.explain.experiment import Take, good
from mockbot.simulate.explain.question import AS_WRITTEN, Figures, Measured, Question, Variant
from mockbot.simulate.explain.setting import Setting
from mockbot.units.formatting import format_percent, format_rate

FREE = "free"
FIRST, REFUSED = "paying first", "others refused"
LET_IN = 0.25  # of the requests of the others, while they are refused


def _tiers(setting: Setting) -> dict[str, frozenset[str]]:
    """The tiers at the provider with their groups; the one that does not pay first."""
    groups = setting.groups
    tiers = sorted({group.tier for group in groups.values()}, key=lambda tier: (tier != FREE, tier))
    return {tier: frozenset(name for name, group in groups.items() if group.tier == tier) for tier in tiers}


def _senseless(setting: Setting) -> str:
    tiers = list(_tiers(setting))
    return "" if len(tiers) > 1 else f"all users of {setting.provider} are of one tier ({', '.join(tiers)})"


def _variants(setting: Setting) -> dict[str, Variant]:
    scenario, (other, *paying) = setting.scenario, _tiers(setting)
    queue = setting.spec.queue.model_copy(update={"first": (*paying,)})
    spec = setting.spec.model_copy(update={"queue": queue})
    first = scenario.model_copy(update={"providers": {**scenario.providers, setting.provider: spec}, "expect": ()})
    at = setting.timeline.phase_at(setting.begin)
    shed = {"on": setting.provider, "shed": {"admit": {other: LET_IN}}}
    fault = Shed.model_validate(shed | {"at": setting.begin - at.start, "lasts": setting.length})
    phases = tuple(
        phase.model_copy(update={"faults": (*phase.faults, fault)}) if phase.name == at.name else phase
        for phase in scenario.phases
    )
    names = ", ".join(paying)
    return {
        FIRST: Variant(first, f"the queue of {setting.provider} serves {names} before all others"),
        REFUSED: Variant(
            scenario.model_copy(update={"phases": phases, "expect": ()}),
            f"{setting.provider} admits {format_percent(LET_IN)} of the requests of {other} during the outage",
        ),
    }


def _what(tier: str) -> str:
    return f"{tier}, good in it"


def _take(setting: Setting, names: frozenset[str]) -> Take:
    return good(setting.begin, setting.clear, setting.scenario.slo, names)


def _measures(setting: Setting) -> tuple[Measured, ...]:
    tiers = _tiers(setting).items()
    return tuple(Measured(_what(tier), "availability", _take(setting, names)) for tier, names in tiers)


def _law(setting: Setting) -> Law:
    """A queue is blind; and what is first served is served as if it were alone."""
    if why := setting.unlike_blackout() or setting.unlike_fifo():
        return Law(why_not=why)
    effect, groups, tiers = setting.faults[0].fault.effect(), setting.groups, _tiers(setting)
    if not isinstance(effect, SlotFactor) or not effect.factor.steady or not effect.factor.first:
        return Law(why_not="the law is of a part of the capacity that is left, the same all the time")
    if any(group.arrivals is None or not isinstance(group.policy, Once) for group in groups.values()):
        return Law(why_not="the law is of arrivals that ask once")
    capacity, rate = effect.factor.first * setting.capacity, setting.rate(groups)
    full = (setting.spec.queue.limit + setting.spec.slots) / capacity
    wait = min(setting.scenario.slo, *(timeout_of(group) for group in groups.values()))
    if wait < 1.5 * full or setting.length < 10 * full:
        return Law(why_not="the law is of a short queue in a long outage, in which whoever gets a place is answered")
    paying = rate - setting.rate(next(iter(tiers.values())))
    other, *first = tiers
    blind, (ahead, behind) = theory.served_blind(capacity, rate), theory.served_first(capacity, rate, paying)
    expects = {f"{AS_WRITTEN}: {_what(tier)}": blind for tier in tiers}
    if len(first) == 1:
        expects |= {f"{FIRST}: {_what(first[0])}": ahead, f"{FIRST}: {_what(other)}": behind}
    return Law(
        "a queue is blind: each tier gets C'/lambda; served first: min(1, C'/lambda_1), and the others what is left",
        "conservation of work in an overloaded loss system",
        (f"C' = {format_rate(capacity)}, lambda = {format_rate(rate)}, lambda_1 = {format_rate(paying)}",),
        expects,
    )


def _sentence(setting: Setting, figures: Figures, law: Law) -> str:  # noqa: ARG001 - as its siblings
    other, *paying = _tiers(setting)
    ways = {FIRST: "paying users served first", REFUSED: f"{format_percent(1 - LET_IN)} of {other} refused"}
    parts = []
    for tier in paying:
        listed = "; ".join(
            f"{words} {figures.text(way, _what(tier))} and {figures.text(way, _what(other))}"
            for way, words in ((AS_WRITTEN, "as written"), *((way, f"with {words}") for way, words in ways.items()))
        )
        changes = [
            f"{each} gets {change} with {words}"
            for each, change in ((tier, "more"), (tier, "less"), (other, "more"), (other, "less"))
            for way, words in ways.items()
            if figures.change(way, AS_WRITTEN, _what(each)) == change
        ]
        shown = "; ".join(changes) or "no difference between the three is shown"
        parts.append(f"Good of what {tier} and {other} ask in the outage: {listed}. So {shown}.")
    return " ".join(parts)


QUESTION = Question("paying", "What do paying users get?", _senseless, _variants, _measures, _law, _sentence)

"""What do paying users get? By tier, as the scenario is written and with free users turned away first; and the same in
an overload that is staged so that the formula applies.
"""

from collections.abc import Mapping

from mockbot.faults.union import Shed
from mockbot.scenario.schema import Group, Phase, Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.explain.answer import Answer, Figure, middle, told
from mockbot.simulate.explain.lab import Lab, Life, of_live
from mockbot.simulate.explain.setting import Setting, groups_of
from mockbot.simulate.explain.stages import calm, course, staged
from mockbot.simulate.spread import Interval

RUNS = 4
FREE, PLUS = "free", "plus"
PAYING, LET_IN = 0.2, 0.25  # the share of paying users where there are none; of free requests that are let in
ROOM = 0.95  # of what it can answer is let in
AFTER, OVERLOAD = 300.0, 1200.0  # seconds
SLOTS = 30  # that are left of the staged provider, at least, so that whole slots are near enough
OUT = 0.5  # of what is asked is what a half-broken provider can answer


def answer(scenario: Scenario, setting: Setting, lab: Lab, live: Life | None) -> Answer:
    """The answer for this scenario, or for it with a fifth of each group paying."""
    tiers = tiers_of(scenario, setting)
    why = "" if len(tiers) > 1 else f"All are of one tier; {PAYING:.0%} of each group are made to pay ({PLUS})."
    world = with_paying(scenario) if why else scenario
    tiers = tiers_of(world, setting)
    written = lab.lives(world) if why else lab.lives(scenario, judged=True)
    shed = lab.lives(with_shedding(world, setting))
    paid = _paid(world, setting, tiers)
    whole, first = (lab.lives(_overload(setting, paid, shed=shed_)) for shed_ in (False, True))
    blind, let_in = overload_shares(paid)
    figures = [
        *_staged_figures(setting, lab, whole, "half broken", {FREE: blind, PLUS: blind}),
        *_staged_figures(setting, lab, first, "free turned away first", {FREE: let_in, PLUS: 1.0}),
    ]
    for tier, names in tiers.items():
        for words, lives, seen in (("as written", written, None if why else live), ("free shed", shed, None)):
            good = lab.spread(lives, lambda life, names=names: _good(world, setting, life, names))  # type: ignore[misc]
            measured = of_live(seen, lambda life, names=names: _good(world, setting, life, names))  # type: ignore[misc]
            figures.append(Figure(f"{words}: {tier} good", "availability", None, good, measured))
    return Answer(
        "paying",
        "What do paying users get?",
        _sentence(tiers, figures),
        "a queue is blind: each tier gets C'/lambda; free turned away first: paying min(1, C'/lambda_plus)",
        "conservation of work in an overloaded loss system",
        (
            f"paying share of what is asked {paid:.0%}; C' = {OUT:.0%} of lambda = {setting.rate:.3g}/s",
            f"as written, {LET_IN:.0%} of free requests are let in until {AFTER / 60:.0f} minutes after the outage",
        ),
        tuple(figures),
        staged=why,
        notes=("Good: answered within the scenario's slo, of those who asked during the outage and those minutes.",),
    )


def tiers_of(scenario: Scenario, setting: Setting) -> dict[str, frozenset[str]]:
    """The tiers at the provider that is out, with their groups."""
    tiers: dict[str, set[str]] = {}
    for name, group in groups_of(scenario, setting.provider).items():
        tiers.setdefault(group.tier, set()).add(name)
    return {tier: frozenset(names) for tier, names in sorted(tiers.items())}


def with_paying(scenario: Scenario) -> Scenario:
    """Every group twice, the smaller one paying; what they do stays."""
    crowd: dict[str, Group] = {}
    for name, group in scenario.crowd.items():
        crowd[name] = _part(group, 1 - PAYING, FREE)
        crowd[_paying(name)] = _part(group, PAYING, PLUS)
    phases = tuple(phase.model_copy(update={"mix": _split(phase)}) for phase in scenario.phases)
    return scenario.model_copy(update={"crowd": crowd, "phases": phases, "expect": ()})


def _split(phase: Phase) -> dict[str, float] | None:
    if phase.mix is None:
        return None
    free = {name: share * (1 - PAYING) for name, share in phase.mix.items()}
    return free | {_paying(name): share * PAYING for name, share in phase.mix.items()}


def _paying(name: str) -> str:
    return f"{name[:50]}-{PLUS}"


def _part(group: Group, share: float, tier: str) -> Group:
    users = None if group.users is None else group.users * share
    arrivals = None if group.arrivals is None else group.arrivals * share
    return group.model_copy(update={"users": users, "arrivals": arrivals, "tier": tier})


def with_shedding(scenario: Scenario, setting: Setting) -> Scenario:
    """A part of the free requests is let in from the outage's begin to some minutes after it."""
    free = FREE if FREE in tiers_of(scenario, setting) else next(iter(tiers_of(scenario, setting)))
    at = Timeline(scenario).phase_at(setting.begin)
    fault = Shed.model_validate(
        {
            "on": setting.provider,
            "shed": {"admit": {free: LET_IN}},
            "at": setting.begin - at.start,
            "lasts": setting.outage + AFTER,
        }
    )
    phases = tuple(
        phase.model_copy(update={"faults": (*phase.faults, fault)}) if phase.name == at.name else phase
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"phases": phases})


# -- an overload that the formula is about ---------------------------------------------------------------------------


def overload_shares(paid: float) -> tuple[float, float]:
    """(what everybody gets from a blind queue, what free users get when paying ones go first)."""
    return OUT, max(0.0, ROOM * OUT - paid) / (1 - paid)


def _overload(setting: Setting, paid: float, *, shed: bool) -> Scenario:
    """Arrivals that try once, at a provider that can answer half of them."""
    wait = setting.spec.queue.limit / setting.capacity
    policy = {"name": "once", "timeout": 86400.0}
    crowd = {
        tier: {"arrivals": share, "policy": policy, "tier": tier, "patience": 10 * wait + 86400.0}
        for tier, share in ((FREE, 1 - paid), (PLUS, paid))
    }
    factor = OUT * setting.load
    phases = course(setting, {"capacity": factor}, OVERLOAD + 4 * wait / factor, 60.0, rate=setting.rate)
    if shed:
        admit = {"shed": {"admit": {FREE: overload_shares(paid)[1]}}}
        phases[1] = {**phases[1], "faults": [{"capacity": factor}, admit]}
    times = max(1.0, SLOTS / (factor * setting.spec.slots))
    return staged(setting, crowd, phases, times=times, abandoned_work="continues")


def _staged_figures(
    setting: Setting, lab: Lab, lives: list[Life], words: str, expected: Mapping[str, float]
) -> list[Figure]:
    """Of those who ask once the queue is full."""
    wait = setting.spec.queue.limit / setting.capacity
    begin = calm(setting) + 4 * wait / (OUT * setting.load) / 2
    end = begin + OVERLOAD
    return [
        Figure(
            f"{words}: {tier} answered",
            "availability",
            expected[tier],
            lab.spread(lives, lambda life, tier=tier: life.answered(begin, end, 86400.0, frozenset([tier]))),  # type: ignore[misc]
        )
        for tier in (PLUS, FREE)
    ]


def _paid(scenario: Scenario, setting: Setting, tiers: Mapping[str, frozenset[str]]) -> float:
    """The paying share of what is asked, from a twentieth to the half that can be answered."""
    now = Timeline(scenario).at(max(0.0, setting.begin - 1e-6))
    rates = {
        tier: sum(
            now.users.get(name, 0) / max(1.0, scenario.crowd[name].think) + now.arrivals.get(name, 0.0)
            for name in names
        )
        for tier, names in tiers.items()
    }
    whole = sum(rates.values())
    paying = whole - rates.get(FREE, max(rates.values(), default=0.0))
    return min(0.9 * OUT, max(0.05, paying / whole if whole else PAYING))


# -- words -----------------------------------------------------------------------------------------------------------


def _good(scenario: Scenario, setting: Setting, life: Life, names: frozenset[str]) -> float | None:
    return life.answered(setting.begin, setting.begin + setting.outage + AFTER, scenario.slo, names)


def _sentence(tiers: Mapping[str, frozenset[str]], figures: list[Figure]) -> str:
    seen = {figure.what: _told(figure.simulated) for figure in figures}
    paying = [tier for tier in tiers if tier != FREE] or list(tiers)
    tier = paying[-1]
    other = FREE if FREE in tiers else next(iter(tiers))
    return (
        f"As written, {seen[f'as written: {tier} good']} of the prompts of {tier} users are good, and "
        f"{seen[f'as written: {other} good']} of {other} users'; with {other} users turned away first, "
        f"{seen[f'free shed: {tier} good']}. In a service that is half broken, that order gives them "
        f"{seen[f'free turned away first: {PLUS} answered']} instead of {seen[f'half broken: {PLUS} answered']}."
    )


def _told(simulated: Interval | None) -> str:
    return "-" if simulated is None or simulated.mean is None else told("availability", middle(simulated))

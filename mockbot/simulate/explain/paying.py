"""What do paying users get? By tier, as the scenario is written and with free users refused first; and the same in an
overload that is staged so that the formula applies.
"""

from collections.abc import Mapping

from mockbot.faults.shed import Shed
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.explain.answer import Answer, Figure, in_words
from mockbot.simulate.explain.experiment import Experiments, RunResult, answered, measured
from mockbot.simulate.explain.parameters import Setting, groups_of, rate_of
from mockbot.simulate.explain.staged_scenarios import LONG, calm, course, staged
from mockbot.units.formatting import format_percent, format_rate

RUNS = 4
FREE, PLUS = "free", "plus"
PAYING, LET_IN = 0.2, 0.25  # the share of paying users where there are none; of free requests that are let in
ROOM = 0.95  # of what it can answer is let in
AFTER, OVERLOAD = 300.0, 1200.0  # seconds
SLOTS = 30  # that are left of the staged provider, at least, so that whole slots are near enough
OUT = 0.5  # of what is asked is what a half-broken provider can answer


def answer(scenario: Scenario, setting: Setting, experiments: Experiments, live: RunResult | None) -> Answer:
    """The answer for this scenario, or for it with a fifth of each group paying."""
    one_tier = len(tiers_of(scenario, setting)) < 2
    world = with_paying(scenario) if one_tier else scenario
    tiers = tiers_of(world, setting)
    paid = paying_share(world, setting)
    blind, let_in = overload_shares(paid)
    figures = [
        *_staged_figures(setting, experiments, paid, "half broken", {PLUS: blind, FREE: blind}),
        *_staged_figures(setting, experiments, paid, "free turned away first", {PLUS: 1.0, FREE: let_in}, shed=True),
    ]
    written = experiments.runs(world) if one_tier else experiments.runs(scenario, judged=True)
    shed = experiments.runs(with_shedding(world, setting))
    for tier, names in tiers.items():
        good = answered(setting.begin, setting.begin + setting.outage + AFTER, world.slo, names)
        figures += [
            measured(f"as written: {tier} good", "availability", good, written, None if one_tier else live),
            measured(f"free shed: {tier} good", "availability", good, shed),
        ]
    share = {
        figure.what: in_words("availability", figure.middle() if figure.simulated and figure.simulated.known else None)
        for figure in figures
    }
    tier = ([tier for tier in tiers if tier != FREE] or list(tiers))[-1]
    other = free_tier(world, setting)
    return Answer(
        "paying",
        "What do paying users get?",
        f"As written, {share[f'as written: {tier} good']} of the prompts of {tier} users are good, and "
        f"{share[f'as written: {other} good']} of {other} users'; with {other} users turned away first, "
        f"{share[f'free shed: {tier} good']}. In a service that is half broken, that order gives them "
        f"{share[f'free turned away first: {PLUS} answered']} instead of {share[f'half broken: {PLUS} answered']}.",
        "a queue is blind: each tier gets C'/lambda; free turned away first: paying min(1, C'/lambda_plus)",
        "conservation of work in an overloaded loss system",
        (
            (
                f"paying share of what is asked {format_percent(paid)};"
                f" C' = {format_percent(OUT)} of lambda = {format_rate(staged_rate(setting))}"
            ),
            f"as written, {format_percent(LET_IN)} of free requests are admitted until {AFTER / 60:.0f} min after it",
        ),
        tuple(figures),
        staged=f"All are of one tier; {format_percent(PAYING)} of each group are made to pay ({PLUS})."
        if one_tier
        else "",
        notes=("Good: answered within the scenario's slo, of those who asked during the outage and those minutes.",),
    )


def tiers_of(scenario: Scenario, setting: Setting) -> dict[str, frozenset[str]]:
    """The tiers at the provider that is out, with their groups."""
    groups = groups_of(scenario, setting.provider)
    tiers = sorted({group.tier for group in groups.values()})
    return {tier: frozenset(name for name, group in groups.items() if group.tier == tier) for tier in tiers}


def free_tier(scenario: Scenario, setting: Setting) -> str:
    """The tier that is refused first."""
    tiers = tiers_of(scenario, setting)
    return FREE if FREE in tiers else next(iter(tiers))


def paying_share(scenario: Scenario, setting: Setting) -> float:
    """The paying share of what is asked, from a twentieth to the half that can be answered."""
    rates = {tier: rate_of(scenario, names, setting.begin) for tier, names in tiers_of(scenario, setting).items()}
    whole = sum(rates.values())
    paying = whole - rates.get(FREE, max(rates.values(), default=0.0))
    return min(0.9 * OUT, max(0.05, paying / whole if whole else PAYING))


def with_paying(scenario: Scenario) -> Scenario:
    """Every group twice, the smaller one paying; what they do stays."""
    parts = [(FREE, 1 - PAYING), (PLUS, PAYING)]

    def named(name: str, tier: str) -> str:
        return name if tier == FREE else f"{name[:50]}-{PLUS}"

    crowd, phases = {}, []
    for name, group in scenario.crowd.items():
        for tier, share in parts:
            users = None if group.users is None else group.users * share
            arrivals = None if group.arrivals is None else group.arrivals * share
            part = group.model_copy(update={"users": users, "arrivals": arrivals, "tier": tier})
            crowd[named(name, tier)] = part
    for phase in scenario.phases:
        mix = phase.mix and {named(n, tier): part * share for tier, share in parts for n, part in phase.mix.items()}
        phases.append(phase.model_copy(update={"mix": mix}))
    return scenario.model_copy(update={"crowd": crowd, "phases": tuple(phases), "expect": ()})


def with_shedding(scenario: Scenario, setting: Setting) -> Scenario:
    """A part of the free requests is let in from the outage's begin to some minutes after it."""
    at = Timeline(scenario).phase_at(setting.begin)
    shed = {"on": setting.provider, "shed": {"admit": {free_tier(scenario, setting): LET_IN}}}
    fault = Shed.model_validate(shed | {"at": setting.begin - at.start, "lasts": setting.outage + AFTER})
    phases = tuple(
        phase.model_copy(update={"faults": (*phase.faults, fault)}) if phase.name == at.name else phase
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"phases": phases})


# -- an overload that the formula is about ---------------------------------------------------------------------------


def overload_shares(paid: float) -> tuple[float, float]:
    """(the share that all get from a blind queue, the share that free users get when paying ones go first)."""
    return OUT, max(0.0, ROOM * OUT - paid) / (1 - paid)


def staged_rate(setting: Setting) -> float:
    """Requests per second: the scenario's, or as many as leave OUT of them to the provider with all its slots."""
    return min(setting.rate, setting.capacity / OUT)


def _staged_figures(
    setting: Setting, experiments: Experiments, paid: float, words: str, expected: Mapping[str, float], *,
    shed: bool = False,
) -> list[Figure]:  # fmt: skip
    """Arrivals that try once, at a provider that can answer half of them; measured once the queue is full."""
    wait = setting.spec.queue.limit / setting.capacity
    policy = {"name": "once", "timeout": LONG}
    crowd = {
        tier: {"arrivals": share, "policy": policy, "tier": tier, "patience": 10 * wait + LONG}
        for tier, share in ((FREE, 1 - paid), (PLUS, paid))
    }
    rate = staged_rate(setting)
    factor = OUT * rate / setting.capacity
    phases = course(setting, {"capacity": factor}, OVERLOAD + 4 * wait / factor, 60.0, rate=rate)
    if shed:
        admit = {"shed": {"admit": {FREE: overload_shares(paid)[1]}}}
        phases[1] = {**phases[1], "faults": [{"capacity": factor}, admit]}
    times = max(1.0, SLOTS / (factor * setting.spec.slots))
    runs = experiments.runs(staged(setting, crowd, phases, times=times, abandoned_work="continues"))
    begin = calm(setting) + 4 * wait / factor / 2
    return [
        measured(
            f"{words}: {tier} answered",
            "availability",
            answered(begin, begin + OVERLOAD, LONG, frozenset([tier])),
            runs,
            theory=share,
        )
        for tier, share in expected.items()
    ]

"""Does refreshing help? Once for the service, with the interval below which it never comes back, once for one user.

The interval is found by bisection: the scenario's crowd, all of it refreshing every r seconds, after the scenario's
outage; it has stuck when at the end more than half of the work is for people who have left. Chance fades with the size
of the crowd, so it is scaled up as far as the engine carries it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from mockbot.scenario.policies import Backoff, Refresh
from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, Figure, middle, told
from mockbot.simulate.explain.lab import Lab, Life, is_fast, of_live
from mockbot.simulate.explain.setting import Setting, groups_of
from mockbot.simulate.explain.stages import LONG, calm, closed, course, staged
from mockbot.simulate.spread import Interval, interval
from mockbot.units.quantities import duration_text

TRIALS = 6  # of the bisection: its edge is known to 16^(1/64), 4 %, and better over seeds
RUNS = TRIALS + 2 + 3  # for each seed
CROWD, SMALL_CROWD, PAIR = 4000, 300, 400  # users of the bisection with and without numba, and of the two groups
ALL_WAIT = 6  # think times after which next to everybody waits, so that a longer outage changes nothing
REFRESHERS = 0.1  # of the staged pair, few enough to harm nobody
QUANTILES = 200


@dataclass(frozen=True, slots=True)
class Edge:
    """An interval between two refreshes, by theory and by simulation; below it the service stays down."""

    theory: float
    simulated: Interval


def answer(scenario: Scenario, setting: Setting, lab: Lab, live: Life | None) -> Answer:
    """The answer for this scenario."""
    edge = find_edge(setting, lab)
    patient = patient_every(setting)
    waits = pair_waits(setting, lab)
    figures = [
        Figure("refresh faster than this: down for ever", "recovery_time", edge.theory, edge.simulated),
        Figure(_pair_words("refreshes", setting.every), "recovery_time", *_pair(setting, setting.every, waits["fast"])),
        Figure(_pair_words("waits, looks", patient), "recovery_time", *_pair(setting, patient, waits["slow"])),
        *_as_written(scenario, setting, lab, live),
    ]
    return Answer(
        "refreshing",
        "Does refreshing help?",
        _sentence(setting, edge, {name: middle(each) for name, each in waits.items()}),
        _formula(setting),
        "HotOS'21 (metastable failures), fluid limit of a FIFO queue whose abandoned work continues",
        _put_in(setting),
        tuple(figures),
        notes=tuple(_notes(setting, edge)),
    )


# -- the service -----------------------------------------------------------------------------------------------------


def find_edge(setting: Setting, lab: Lab) -> Edge:
    """By theory and, seed by seed, by bisection between a quarter and four times that."""
    expected = expected_edge(setting)
    return Edge(expected, interval([_bisected(setting, expected, lab, seed) for seed in range(lab.seeds)]))


def expected_edge(setting: Setting) -> float:
    """min(Ns/2, q)/C after an outage that loses what it had, min(N, q)/C after one that keeps it."""
    if setting.keeps_queue:
        return theory.refresh_safe(setting.users, setting.places, setting.capacity)
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    return theory.refresh_tips(waiting, setting.places, setting.capacity)


def _bisected(setting: Setting, expected: float, lab: Lab, seed: int) -> float | None:
    """None when nothing in the bracket sticks, infinite when everything does."""
    shift = 1.02 ** (seed / lab.seeds)  # so that no two seeds try the same intervals
    low, high = shift * max(1.2, expected / 4), shift * max(4.8, 4 * expected)
    if not _sticks(setting, low, expected, lab, seed):
        return None
    if _sticks(setting, high, expected, lab, seed):
        return math.inf
    for _ in range(TRIALS):
        between = math.sqrt(low * high)
        low, high = (between, high) if _sticks(setting, between, expected, lab, seed) else (low, between)
    return math.sqrt(low * high)


def _sticks(setting: Setting, every: float, expected: float, lab: Lab, seed: int) -> bool:
    seconds = lab.seconds(crowd_that_refreshes(setting, every, expected), seed)
    end = max(second.t for second in seconds)
    last = [second for second in seconds if second.t > end - _after(setting, expected) / 4]
    return sum(second.wasted for second in last) > sum(second.work for second in last) / 2


def crowd_that_refreshes(setting: Setting, every: float, expected: float) -> Scenario:
    """Everybody refreshes every so many seconds; an outage as long as the scenario's."""
    fault: Mapping[str, object] = {"capacity": 0.0} if setting.keeps_queue else {"crash": True}
    lasts = min(setting.outage, ALL_WAIT * setting.think)
    policy = {"name": "refresh", "every": round(every, 3), "timeout": LONG}
    crowd = {"all": closed(policy, setting.think)}
    phases = course(setting, fault, lasts, _after(setting, expected))
    world = staged(setting, crowd, phases)
    users = CROWD if is_fast(world) else SMALL_CROWD
    return staged(setting, crowd, phases, times=max(1.0, users / setting.users))


def _after(setting: Setting, expected: float) -> float:
    """Long enough to see whether it comes back."""
    return float(round(max(40 * expected, 5 * setting.think, 600.0)))


# -- one user --------------------------------------------------------------------------------------------------------


def patient_every(setting: Setting) -> float:
    """How often somebody looks who does not refresh."""
    return max(120.0, 2 * setting.think)


def expected_wait(setting: Setting, every: float) -> float:
    """Median over those who asked during the outage: the first k r after its end, and an answer's time.

    Who refreshes before an answer can be there never gets one. In an outage of D seconds
    users with think time Z ask their next prompt at t with P(t < x) ~ 1 - e^(-x/Z).
    """
    if every < setting.service:
        return math.inf
    asked = 1 - math.exp(-setting.outage / setting.think)
    left = [
        setting.outage + setting.think * math.log(1 - (number + 0.5) / QUANTILES * asked) for number in range(QUANTILES)
    ]
    return median(math.ceil(max(0.0, each) / every) * every for each in left) + setting.service


def pair_waits(setting: Setting, lab: Lab) -> dict[str, Interval]:
    """The median waits of few who refresh and of many who do not, in one crowd."""
    policies = {"fast": setting.every, "slow": patient_every(setting)}
    shares = {"fast": REFRESHERS, "slow": 1 - REFRESHERS}
    crowd = {
        name: closed({"name": "refresh", "every": every, "timeout": LONG}, setting.think, shares[name])
        for name, every in policies.items()
    }
    after = round(4 * policies["slow"] + 20 * setting.service)
    phases = course(setting, {"crash": True}, setting.outage, after)
    lives = lab.lives(staged(setting, crowd, phases, times=max(1.0, PAIR / setting.users)))
    begin, end = calm(setting), calm(setting) + setting.outage
    return {
        name: lab.spread(lives, lambda life, name=name: life.wait(begin, end, frozenset([name])))  # type: ignore[misc]
        for name in policies
    }


def _pair(setting: Setting, every: float, simulated: Interval) -> tuple[float, Interval]:
    return expected_wait(setting, every), simulated


def _pair_words(does: str, every: float) -> str:
    return f"{does} every {duration_text(round(every))}: median wait"


# -- as the scenario is written --------------------------------------------------------------------------------------


def _as_written(scenario: Scenario, setting: Setting, lab: Lab, live: Life | None) -> list[Figure]:
    """The scenario's own groups, and how the service fares with and without those who refresh."""
    groups = groups_of(scenario, setting.provider)
    refreshers = frozenset(name for name, group in groups.items() if isinstance(group.policy, Refresh))
    lives, begin, end = lab.lives(scenario, judged=True), setting.begin, setting.begin + setting.outage
    figures = []
    for words, names in (("refreshers", refreshers), ("others", frozenset(groups) - refreshers)):
        if names:
            seen = lab.spread(lives, lambda life, names=names: life.wait(begin, end, names))  # type: ignore[misc]
            measured = of_live(live, lambda life, names=names: life.wait(begin, end, names))  # type: ignore[misc]
            figures.append(Figure(f"as written, {words}: median wait", "recovery_time", None, seen, measured))
    if not refreshers:
        return figures
    without = lab.lives(nobody_refreshes(scenario))
    for words, some, told_live in (("as written", lives, live), ("if nobody refreshed", without, None)):
        share = lab.spread(some, lambda life: _good_after(scenario, setting, life))
        measured = of_live(told_live, lambda life: _good_after(scenario, setting, life))
        figures.append(Figure(f"{words}: good answers after the outage", "availability", None, share, measured))
    return figures


def nobody_refreshes(scenario: Scenario) -> Scenario:
    """Those who refresh back off instead."""
    crowd = {
        name: group.model_copy(update={"policy": Backoff(attempts=1000)})
        if isinstance(group.policy, Refresh)
        else group
        for name, group in scenario.crowd.items()
    }
    return scenario.model_copy(update={"crowd": crowd})


def _good_after(scenario: Scenario, setting: Setting, life: Life) -> float | None:
    """Of those who asked within ten minutes after the outage, or four think times."""
    end = setting.begin + setting.outage
    groups = frozenset(groups_of(scenario, setting.provider))
    return life.answered(end, end + max(600.0, 4 * setting.think), scenario.slo, groups)


# -- words -----------------------------------------------------------------------------------------------------------


def _sentence(setting: Setting, edge: Edge, waits: Mapping[str, float]) -> str:
    found = edge.theory if edge.simulated.mean is None else edge.simulated.mean
    service = f"For the service no: if everybody reloads more often than every {told('recovery_time', found)}, it "
    service += "stays down for ever, long after the cause is gone."
    gained = waits["slow"] - waits["fast"]
    if not math.isfinite(gained) or gained <= setting.service:
        return f"{service} For one user it does not help either."
    quick = told("recovery_time", waits["fast"])
    slow = told("recovery_time", waits["slow"])
    few = f"For one user a little, as long as few do it: an answer after {quick} instead of {slow}."
    return f"{service} {few}"


def _formula(setting: Setting) -> str:
    if setting.keeps_queue:
        return "it sticks when r < min(N, q) / C"
    return "it sticks when r < min(Ns/2, q) / C, with Ns = N (1 - e^(-D/Z))"


def _put_in(setting: Setting) -> tuple[str, ...]:
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    return (
        f"N = {setting.users} users of {setting.provider}, who think for Z = {told('recovery_time', setting.think)}",
        f"C = {setting.spec.slots} slots / {told('recovery_time', setting.service)} = {setting.capacity:.3g}/s",
        f"q = {setting.spec.queue.limit} places in the queue + {setting.spec.slots} slots = {setting.places}",
        f"D = {told('recovery_time', setting.outage)}, so Ns = {waiting:.0f} wait at its end",
    )


def _notes(setting: Setting, edge: Edge) -> list[str]:
    safe = theory.refresh_safe(setting.users, setting.places, setting.capacity)
    notes = [f"No trigger whatever can keep it down when all wait longer than min(N, q)/C = {safe:.3g} s."]
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    share = theory.refreshers_tip(setting.capacity, setting.every, waiting)
    if setting.every < expected_edge(setting) and share < 1 and not setting.keeps_queue:
        notes.append(f"A share of {share:.0%} who refresh every {setting.every:g} s is enough: 2 C r / Ns.")
    if setting.spec.abandoned_work != "continues" or setting.spec.queue.order != "fifo":
        notes.append("The law is for a FIFO queue whose abandoned work continues; this provider has another one.")
    if edge.theory < 3 * setting.service:
        took = told("recovery_time", setting.service)
        notes.append(f"An answer itself takes {took}; the law takes that as short beside r, so it is rough here.")
    return notes

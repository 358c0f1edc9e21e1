"""Does refreshing help? Once for the service, with the interval below which it never comes back, once for one user.

The interval is found by bisection: the scenario's crowd, all of it refreshing every r seconds, after the scenario's
outage; it has stuck when at the end more than half of the work is for people who have left. Chance fades with the size
of the crowd, so it is scaled up as far as the engine carries it.
"""

import math
from collections.abc import Iterator, Mapping
from statistics import median

from mockbot.scenario.policies import Backoff, Refresh
from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.engines import fastest
from mockbot.simulate.explain.answer import Answer, Figure, middle, told
from mockbot.simulate.explain.experiment import Experiments, RunResult, answered, measured, median_wait
from mockbot.simulate.explain.parameters import Setting, groups_of
from mockbot.simulate.explain.staged_scenarios import LONG, calm, closed, course, staged
from mockbot.simulate.seed_statistics import Interval, interval
from mockbot.units.quantities import duration_text

TRIALS = 6  # of the bisection: its edge is known to 16^(1/64), 4 %, and better over seeds
RUNS = TRIALS + 2 + 3  # for each seed
CROWD, SMALL_CROWD, PAIR = 4000, 300, 400  # users of the bisection with and without numba, and of the two groups
ALL_WAIT = 6  # think times after which next to everybody waits, so that a longer outage changes nothing
REFRESHERS = 0.1  # of the staged pair, few enough to harm nobody
QUANTILES = 200


def answer(scenario: Scenario, setting: Setting, lab: Experiments, live: RunResult | None) -> Answer:
    """The answer for this scenario."""
    edge = find_edge(setting, lab)
    waits = pair_waits(setting, lab)
    looks = (("refreshes", setting.every, "fast"), ("waits, looks", patient_every(setting), "slow"))
    figures = [
        edge,
        *(
            Figure(
                f"{does} every {duration_text(round(every))}: median wait",
                "recovery_time",
                expected_wait(setting, every),
                waits[name],
            )
            for does, every, name in looks
        ),
        *_as_written(scenario, setting, lab, live),
    ]
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    think = told("recovery_time", setting.think)
    lost = "it sticks when r < min(Ns/2, q) / C, with Ns = N (1 - e^(-D/Z))"
    return Answer(
        "refreshing",
        "Does refreshing help?",
        _sentence(setting, edge, {name: middle(each) for name, each in waits.items()}),
        "it sticks when r < min(N, q) / C" if setting.keeps_queue else lost,
        "HotOS'21 (metastable failures), fluid limit of a FIFO queue whose abandoned work continues",
        (
            f"N = {setting.users} users of {setting.provider}, who think for Z = {think}",
            f"C = {setting.spec.slots} slots / {told('recovery_time', setting.service)} = {setting.capacity:.3g}/s",
            f"q = {setting.spec.queue.limit} places in the queue + {setting.spec.slots} slots = {setting.places}",
            f"D = {told('recovery_time', setting.outage)}, so Ns = {waiting:.0f} wait at its end",
        ),
        tuple(figures),
        notes=tuple(_notes(setting, edge.theory or 0.0, waiting)),
    )


# -- the service -----------------------------------------------------------------------------------------------------


def find_edge(setting: Setting, lab: Experiments) -> Figure:
    """The interval below which the service stays down: by theory and, seed by seed, by bisection.

    min(Ns/2, q)/C after an outage that loses what it had, min(N, q)/C after one that keeps it.
    """
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    if setting.keeps_queue:
        expected = theory.refresh_safe(setting.users, setting.places, setting.capacity)
    else:
        expected = theory.refresh_tips(waiting, setting.places, setting.capacity)
    simulated = interval([_bisected(setting, expected, lab, seed) for seed in range(lab.seeds)])
    return Figure("refresh faster than this: down for ever", "recovery_time", expected, simulated)


def _bisected(setting: Setting, expected: float, lab: Experiments, seed: int) -> float | None:
    """Between a quarter and four times the law; None when nothing in there sticks, infinite when everything does."""
    after = float(round(max(40 * expected, 5 * setting.think, 600.0)))  # long enough to see whether it comes back

    def sticks(every: float) -> bool:
        seconds = lab.seconds(crowd_that_refreshes(setting, every, after), seed)
        end = max(second.t for second in seconds)
        last = [second for second in seconds if second.t > end - after / 4]
        return sum(second.wasted for second in last) > sum(second.work for second in last) / 2

    shift = 1.02 ** (seed / lab.seeds)  # so that no two seeds try the same intervals
    low, high = shift * max(1.2, expected / 4), shift * max(4.8, 4 * expected)
    if not sticks(low):
        return None
    if sticks(high):
        return math.inf
    for _ in range(TRIALS):
        between = math.sqrt(low * high)
        low, high = (between, high) if sticks(between) else (low, between)
    return math.sqrt(low * high)


def crowd_that_refreshes(setting: Setting, every: float, after: float) -> Scenario:
    """Everybody refreshes every so many seconds; an outage as long as the scenario's, and `after` seconds more."""
    fault: Mapping[str, object] = {"capacity": 0.0} if setting.keeps_queue else {"crash": True}
    lasts = min(setting.outage, ALL_WAIT * setting.think)
    crowd = {"all": closed({"name": "refresh", "every": round(every, 3), "timeout": LONG}, setting.think)}
    phases = course(setting, fault, lasts, after)
    users = CROWD if fastest(staged(setting, crowd, phases)) == "fast" else SMALL_CROWD
    return staged(setting, crowd, phases, times=max(1.0, users / setting.users))


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


def pair_waits(setting: Setting, lab: Experiments) -> dict[str, Interval]:
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
    takes = {name: median_wait(begin, end, frozenset([name])) for name in policies}
    return {name: interval(list(map(take, lives))) for name, take in takes.items()}


# -- as the scenario is written --------------------------------------------------------------------------------------


def _as_written(scenario: Scenario, setting: Setting, lab: Experiments, live: RunResult | None) -> list[Figure]:
    """The scenario's own groups, and how the service fares with and without those who refresh."""
    groups = groups_of(scenario, setting.provider)
    refreshers = frozenset(name for name, group in groups.items() if isinstance(group.policy, Refresh))
    lives, begin, end = lab.lives(scenario, judged=True), setting.begin, setting.begin + setting.outage
    figures = [
        measured(f"as written, {who}: median wait", "recovery_time", median_wait(begin, end, names), lives, live)
        for who, names in (("refreshers", refreshers), ("others", frozenset(groups) - refreshers))
        if names
    ]
    if refreshers:
        after = "good answers after the outage"
        good = answered(end, end + max(600.0, 4 * setting.think), scenario.slo, frozenset(groups))
        without = lab.lives(nobody_refreshes(scenario))
        figures.append(measured(f"as written: {after}", "availability", good, lives, live))
        figures.append(measured(f"if nobody refreshed: {after}", "availability", good, without))
    return figures


def nobody_refreshes(scenario: Scenario) -> Scenario:
    """Those who refresh back off instead."""
    backs_off = {"policy": Backoff(attempts=1000)}
    crowd = {
        name: group.model_copy(update=backs_off) if isinstance(group.policy, Refresh) else group
        for name, group in scenario.crowd.items()
    }
    return scenario.model_copy(update={"crowd": crowd})


# -- words -----------------------------------------------------------------------------------------------------------


def _sentence(setting: Setting, edge: Figure, waits: Mapping[str, float]) -> str:
    found = edge.simulated.mean if edge.simulated and edge.simulated.mean is not None else edge.theory
    service = f"For the service no: if everybody reloads more often than every {told('recovery_time', found)}, it "
    service += "stays down for ever, long after the cause is gone."
    gained = waits["slow"] - waits["fast"]
    if not math.isfinite(gained) or gained <= setting.service:
        return f"{service} For one user it does not help either."
    quick, slow = told("recovery_time", waits["fast"]), told("recovery_time", waits["slow"])
    return f"{service} For one user a little, as long as few do it: an answer after {quick} instead of {slow}."


def _notes(setting: Setting, edge: float, waiting: float) -> Iterator[str]:
    safe = theory.refresh_safe(setting.users, setting.places, setting.capacity)
    yield f"No trigger whatever can keep it down when all wait longer than min(N, q)/C = {safe:.3g} s."
    share = theory.refreshers_tip(setting.capacity, setting.every, waiting)
    if setting.every < edge and share < 1 and not setting.keeps_queue:
        yield f"A share of {share:.0%} who refresh every {setting.every:g} s is enough: 2 C r / Ns."
    if setting.spec.abandoned_work != "continues" or setting.spec.queue.order != "fifo":
        yield "The law is for a FIFO queue whose abandoned work continues; this provider has another one."
    if edge < 3 * setting.service:
        took = told("recovery_time", setting.service)
        yield f"An answer itself takes {took}; the law takes that as short beside r, so it is rough here."

"""Does refreshing help? Once for the service, with the interval below which it never comes back, once for one user.

The interval is found by bisection: the scenario's crowd, all of it refreshing every r seconds, after the scenario's
outage. The service has stuck when at the end more than half of the work is for clients that have left. Chance fades
with the size of the crowd, so it is scaled up as far as the engine carries it.
"""

import math
from collections.abc import Iterator, Mapping

from mockbot.scenario.policies import Backoff, Refresh
from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.engines import fastest
from mockbot.simulate.explain.answer import Answer, Figure, duration_words
from mockbot.simulate.explain.experiment import Experiments, RunResult, answered, measured, median_wait
from mockbot.simulate.explain.parameters import Setting, groups_of
from mockbot.simulate.explain.staged_scenarios import LONG, calm, closed, course, staged
from mockbot.simulate.policy_override import with_policies
from mockbot.simulate.seed_statistics import Interval, interval
from mockbot.units.formatting import format_percent, format_rate
from mockbot.units.quantities import duration_text

TRIALS = 6  # of the bisection: its edge is known to 16^(1/64), 4 %, and better over seeds
RUNS = TRIALS + 2 + 3  # for each seed
CROWD, SMALL_CROWD, PAIR = 4000, 300, 400  # users of the bisection with and without numba, and of the two groups
ALL_WAIT = 6  # think times after which next to all users wait, so that a longer outage changes nothing
REFRESHERS = 0.1  # of the staged pair, few enough to harm nobody


def answer(scenario: Scenario, setting: Setting, experiments: Experiments, live: RunResult | None) -> Answer:
    """The answer for this scenario."""
    edge = find_edge(setting, experiments)
    waits = pair_waits(setting, experiments)
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    figures = [edge]
    for does, every, name in (("refreshes", setting.every, "fast"), ("waits, looks", patient_every(setting), "slow")):
        what = f"{does} every {duration_text(round(every))}: median wait"
        figures.append(Figure(what, "recovery_time", expected_wait(setting, every), waits[name]))
    lost = "it sticks when r < min(Ns/2, q) / C, with Ns = N (1 - e^(-D/Z))"
    service = duration_words(setting.service)
    return Answer(
        "refreshing",
        "Does refreshing help?",
        _sentence(setting, edge, waits["fast"].middle(), waits["slow"].middle()),
        "it sticks when r < min(N, q) / C" if setting.keeps_queue else lost,
        "HotOS'21 (metastable failures), fluid limit of a FIFO queue whose abandoned work continues",
        (
            f"N = {setting.users} users of {setting.provider}, who think for Z = {duration_words(setting.think)}",
            f"C = {setting.spec.slots} slots / {service} = {format_rate(setting.capacity)}",
            f"q = {setting.spec.queue.limit} places in the queue + {setting.spec.slots} slots = {setting.places}",
            f"D = {duration_words(setting.outage)}, so Ns = {waiting:.0f} wait at its end",
        ),
        (*figures, *_as_written(scenario, setting, experiments, live)),
        notes=tuple(_notes(setting, edge.theory or 0.0, waiting)),
    )


# -- the service -----------------------------------------------------------------------------------------------------


def find_edge(setting: Setting, experiments: Experiments) -> Figure:
    """The interval below which the service stays down: by theory and, seed by seed, by bisection.

    min(Ns/2, q)/C after an outage that loses what it had, min(N, q)/C after one that keeps it.
    """
    waiting = theory.waiting_after(setting.users, setting.think, setting.outage)
    if setting.keeps_queue:
        expected = theory.refresh_safe(setting.users, setting.places, 0, setting.capacity)
    else:
        expected = theory.refresh_tips(waiting, setting.places, 0, setting.capacity)
    found = [_bisected(setting, expected, experiments, seed) for seed in range(experiments.seeds)]
    return Figure("refresh faster than this: down for ever", "recovery_time", expected, interval(found))


def _bisected(setting: Setting, expected: float, experiments: Experiments, seed: int) -> float | None:
    """Between a quarter and four times the law; None when nothing in there sticks, infinite when everything does."""
    after = float(round(max(40 * expected, 5 * setting.think, 600.0)))  # long enough to see whether it comes back

    def sticks(every: float) -> bool:
        seconds = experiments.seconds(crowd_that_refreshes(setting, every, after), seed)
        end = max(second.t for second in seconds)
        last = [second for second in seconds if second.t > end - after / 4]
        return sum(second.wasted for second in last) > sum(second.work for second in last) / 2

    # Each seed tries other intervals; otherwise all would find one of the same few edges, and their spread would be 0.
    shift = 1.02 ** (seed / experiments.seeds)
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
    """All users refresh every so many seconds; an outage as long as the scenario's, and `after` seconds more."""
    fault: Mapping[str, object] = {"capacity": 0.0} if setting.keeps_queue else {"crash": True}
    lasts = min(setting.outage, ALL_WAIT * setting.think)
    crowd = {"all": closed({"name": "refresh", "every": round(every, 3), "timeout": LONG}, setting.think)}
    phases = course(setting, fault, lasts, after)
    users = CROWD if fastest(staged(setting, crowd, phases)) == "fast" else SMALL_CROWD
    return staged(setting, crowd, phases, times=max(1.0, users / setting.users))


# -- one user --------------------------------------------------------------------------------------------------------


def patient_every(setting: Setting) -> float:
    """Seconds between two refreshes of a patient user."""
    return max(120.0, 2 * setting.think)


def expected_wait(setting: Setting, every: float) -> float:
    """Median over the prompts of the outage: the first k r after its end, and an answer's time.

    A user who refreshes before an answer can be there never gets one. In an outage of D seconds
    users with think time Z ask their next prompt at t with P(t < x) ~ 1 - e^(-x/Z).
    """
    if every < setting.service:
        return math.inf
    asked = 1 - math.exp(-setting.outage / setting.think)
    left = setting.outage + setting.think * math.log(1 - asked / 2)  # of the outage, for the median prompt
    return math.ceil(max(0.0, left) / every) * every + setting.service


def pair_waits(setting: Setting, experiments: Experiments) -> dict[str, Interval]:
    """The median waits of few who refresh and of many who do not, in one crowd."""
    slow = patient_every(setting)
    crowd = {
        name: closed({"name": "refresh", "every": every, "timeout": LONG}, setting.think, share)
        for name, every, share in (("fast", setting.every, REFRESHERS), ("slow", slow, 1 - REFRESHERS))
    }
    phases = course(setting, {"crash": True}, setting.outage, round(4 * slow + 20 * setting.service))
    runs = experiments.runs(staged(setting, crowd, phases, times=max(1.0, PAIR / setting.users)))
    begin, end = calm(setting), calm(setting) + setting.outage
    return {name: interval(list(map(median_wait(begin, end, frozenset([name])), runs))) for name in crowd}


# -- as the scenario is written --------------------------------------------------------------------------------------


def _as_written(
    scenario: Scenario, setting: Setting, experiments: Experiments, live: RunResult | None
) -> Iterator[Figure]:
    """The scenario's own groups, and how the service fares with and without those who refresh."""
    groups = groups_of(scenario, setting.provider)
    refreshers = frozenset(name for name, group in groups.items() if isinstance(group.policy, Refresh))
    runs, begin, end = experiments.runs(scenario, judged=True), setting.begin, setting.begin + setting.outage
    for who, names in (("refreshers", refreshers), ("others", frozenset(groups) - refreshers)):
        if names:
            wait = median_wait(begin, end, names)
            yield measured(f"as written, {who}: median wait", "recovery_time", wait, runs, live)
    if refreshers:
        after = "good answers after the outage"
        good = answered(end, end + max(600.0, 4 * setting.think), scenario.slo, frozenset(groups))
        # Those who refresh back off instead.
        without = with_policies(scenario, lambda each: Backoff(attempts=1000) if isinstance(each, Refresh) else each)
        yield measured(f"as written: {after}", "availability", good, runs, live)
        yield measured(f"if nobody refreshed: {after}", "availability", good, experiments.runs(without))


def _sentence(setting: Setting, edge: Figure, fast: float, slow: float) -> str:
    """`fast` and `slow`: the waits of one user who refreshes and of one who does not."""
    found = edge.simulated.mean if edge.simulated and edge.simulated.mean is not None else edge.theory
    service = f"For the service no: if everybody reloads more often than every {duration_words(found)}, it "
    service += "stays down for ever, long after the cause is gone."
    if not math.isfinite(slow - fast) or slow - fast <= setting.service:
        return f"{service} For one user it does not help either."
    quick, late = duration_words(fast), duration_words(slow)
    return f"{service} For one user a little, as long as few do it: an answer after {quick} instead of {late}."


def _notes(setting: Setting, edge: float, waiting: float) -> Iterator[str]:
    safe = theory.refresh_safe(setting.users, setting.places, 0, setting.capacity)
    yield f"No trigger whatever can keep it down when all wait longer than min(N, q)/C = {duration_words(safe)}."
    share = theory.refreshers_tip(setting.capacity, setting.every, waiting)
    if setting.every < edge and share < 1 and not setting.keeps_queue:
        every = duration_words(setting.every)
        yield f"A share of {format_percent(share)} who refresh every {every} is enough: 2 C r / Ns."
    if setting.spec.abandoned_work != "continues" or setting.spec.queue.order != "fifo":
        yield "The law is for a FIFO queue whose abandoned work continues; this provider has another one."
    if edge < 3 * setting.service:
        service = duration_words(setting.service)
        yield f"An answer itself takes {service}; the law takes that as short beside r, so it is rough here."

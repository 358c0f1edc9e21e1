"""How long until it is normal again? By the drain formulas, for users who wait and for arrivals that come anyway; and
as the scenario is written, by what its users do.
"""

import math

from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, Figure, duration_words
from mockbot.simulate.explain.experiment import Experiments, RunResult, measured
from mockbot.simulate.explain.parameters import Setting
from mockbot.simulate.explain.staged_scenarios import LONG, calm, closed, course, staged
from mockbot.simulate.seed_statistics import Interval, interval
from mockbot.units.formatting import format_rate

RUNS = 2 + 1
PROMPTS = 150_000  # of the staged open loop, at most
CROWD = 2000  # users of the staged closed loop, so that chance is small
ENDLESS = 1_000_000  # places in the staged queue, more than prompts that are asked
FULL = 0.97  # of the capacity, from which arrivals alone never let a queue drain in any time worth simulating


def answer(scenario: Scenario, setting: Setting, experiments: Experiments, live: RunResult | None) -> Answer:
    """The answer for this scenario."""
    runs = experiments.runs(scenario, judged=True)
    closed_loop, open_loop = closed_drain(setting), theory.drain_open(setting.outage, setting.load)
    staged_open = drained(setting, experiments, open_loop=True) if setting.load < FULL else None
    well = measured("as written: well again after", "recovery_time", lambda run: run.recovery, runs, live)
    through = "as written: its victims through after"
    first = f"As written, {duration_words(well.middle())} after the end of all faults."
    if math.isinf(well.middle()) and well.simulated:
        count = well.simulated.runs
        first = f"As written, not before the scenario ends ({count - well.simulated.known} of {count} seeds)."
    return Answer(
        "how-long",
        "How long until it is normal again?",
        f"{first} A kept queue would drain in {duration_words(closed_loop)} with users who wait; with new ones all"
        f" the time, in {duration_words(open_loop)}.",
        "closed: Z ln((1/rho - e^(-D/Z)) / (1/rho - 1));  open: D rho / (1 - rho)",
        "fluid limit of a queue that is kept; see Schroeder et al., NSDI'06, for open and closed",
        (
            f"D = {duration_words(setting.outage)}, Z = {duration_words(setting.think)}",
            f"rho = {format_rate(setting.rate)} / {format_rate(setting.capacity)} = {setting.load:.2f}",
        ),
        (
            Figure("queue kept, users wait (closed loop)", "recovery_time", closed_loop, drained(setting, experiments)),
            Figure("queue kept, new ones come (open loop)", "recovery_time", open_loop, staged_open),
            well,
            measured(through, "recovery_time", lambda run: run.affected, runs, live),
        ),
        staged="" if setting.has_outage else "Nothing goes wrong in this scenario; ten minutes of outage are staged.",
        notes=(
            "Well again: from the end of all faults until 95 % of the usual share is good for 30s.",
            "The first two are from the end of the outage until nobody queues, if nobody had been turned away.",
        ),
    )


def closed_drain(setting: Setting) -> float:
    """Of the setting's users; arrivals count as if they were theirs."""
    return theory.drain_closed(setting.outage, setting.load, setting.think)


def drained(setting: Setting, experiments: Experiments, *, open_loop: bool = False) -> Interval:
    """Seconds after the outage until the queue is empty, with a crowd of infinite patience on an endless queue."""
    expected = theory.drain_open(setting.outage, setting.load) if open_loop else closed_drain(setting)
    if not math.isfinite(expected):
        return interval([math.inf] * experiments.seeds)
    after = 1.5 * expected + 4 * setting.think
    most = PROMPTS / (setting.rate * (setting.outage + after)) if open_loop else CROWD / setting.users
    policy = {"name": "once", "timeout": "23h"}
    arriving: dict[str, object] = {"arrivals": 1.0, "policy": policy, "patience": 10 * LONG}
    crowd = {"all": arriving if open_loop else closed(policy, setting.think)}
    # Without capacity the provider queues everything and refuses nothing.
    phases = course(setting, {"capacity": 0.0}, setting.outage, after, rate=setting.rate if open_loop else None)
    times = max(1.0, most)
    queue = setting.spec.queue.model_copy(update={"limit": math.ceil(ENDLESS / times), "max_wait": None})
    world = staged(setting, crowd, phases, times=times, queue=queue)
    clear = calm(setting) + setting.outage
    runs = (experiments.seconds(world, seed) for seed in range(experiments.seeds))
    empty = ([each.t + 1 - clear for each in seconds if each.t > clear and not each.queued] for seconds in runs)
    return interval([min(ends, default=math.inf) for ends in empty])

"""How long until it is normal again? By the drain formulas, for users who wait and for arrivals that come anyway; and
as the scenario is written, by what its users do.
"""

import math

from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, Figure, middle, told
from mockbot.simulate.explain.lab import Lab, Life, of_live
from mockbot.simulate.explain.setting import Setting
from mockbot.simulate.explain.stages import LONG, calm, closed, course, staged
from mockbot.simulate.spread import Interval, interval

RUNS = 2 + 1
PROMPTS = 150_000  # of the staged open loop, at most
CROWD = 2000  # users of the staged closed loop, so that chance is small
FULL = 0.97  # of the capacity, from which arrivals alone never let a queue drain in any time worth simulating


def answer(scenario: Scenario, setting: Setting, lab: Lab, live: Life | None) -> Answer:
    """The answer for this scenario."""
    lives = lab.lives(scenario, judged=True)
    recovery = lab.spread(lives, lambda life: life.recovery)
    figures = (
        Figure("queue kept, users wait (closed loop)", "recovery_time", closed_drain(setting), drained(setting, lab)),
        Figure(
            "queue kept, new ones come (open loop)",
            "recovery_time",
            theory.drain_open(setting.outage, setting.load),
            drained(setting, lab, open_loop=True) if setting.load < FULL else None,
        ),
        Figure(
            "as written: well again after", "recovery_time", None, recovery, of_live(live, lambda life: life.recovery)
        ),
        Figure(
            "as written: its victims through after",
            "recovery_time",
            None,
            lab.spread(lives, lambda life: life.affected),
            of_live(live, lambda life: life.affected),
        ),
    )
    return Answer(
        "how-long",
        "How long until it is normal again?",
        _sentence(setting, recovery),
        "closed: Z ln((1/rho - e^(-D/Z)) / (1/rho - 1));  open: D rho / (1 - rho)",
        "fluid limit of a queue that is kept; see Schroeder et al., NSDI'06, for open and closed",
        (
            f"D = {told('recovery_time', setting.outage)}, Z = {told('recovery_time', setting.think)}",
            f"rho = {setting.rate:.3g}/s / {setting.capacity:.3g}/s = {setting.load:.2f}",
        ),
        figures,
        staged="" if setting.has_outage else "Nothing goes wrong in this scenario; ten minutes of outage are staged.",
        notes=(
            "Well again: from the end of all faults until 95 % of the usual share is good for 30 s.",
            "The first two are from the end of the outage until nobody queues, if nobody had been turned away.",
        ),
    )


def closed_drain(setting: Setting) -> float:
    """Of the setting's users; what arrives anyway counts as if it were theirs."""
    return theory.drain_closed(setting.outage, setting.load, setting.think)


def drained(setting: Setting, lab: Lab, *, open_loop: bool = False) -> Interval:
    """Seconds after the outage until nobody queues, in a crowd of infinite patience on an endless queue."""
    expected = theory.drain_open(setting.outage, setting.load) if open_loop else closed_drain(setting)
    if not math.isfinite(expected):
        return Interval(None, None, 0, lab.seeds)
    world = _kept(setting, expected, open_loop=open_loop)
    clear = calm(setting) + setting.outage
    return interval([_empty(lab, world, clear, seed) for seed in range(lab.seeds)])


def _kept(setting: Setting, expected: float, *, open_loop: bool) -> Scenario:
    """The scenario's outage as one that turns nobody away."""
    after = 1.5 * expected + 4 * setting.think
    most = PROMPTS / (setting.rate * (setting.outage + after)) if open_loop else CROWD / setting.users
    policy = {"name": "once", "timeout": "23h"}
    who: dict[str, object] = {"arrivals": 1.0, "policy": policy, "patience": 10 * LONG}
    crowd = {"all": who if open_loop else closed(policy, setting.think)}
    rate = setting.rate if open_loop else None
    queue = setting.spec.queue.model_copy(update={"limit": 1_000_000, "max_wait": None})
    phases = course(setting, {"capacity": 0.0}, setting.outage, after, rate=rate)
    return staged(setting, crowd, phases, times=max(1.0, most), queue=queue)


def _empty(lab: Lab, world: Scenario, clear: float, seed: int) -> float:
    seconds = lab.seconds(world, seed)
    ends = [second.t + 1 - clear for second in seconds if second.t > clear and not second.queued]
    return min(ends, default=math.inf)


def _sentence(setting: Setting, recovery: Interval) -> str:
    words = told("recovery_time", middle(recovery))
    if recovery.mean is None or not math.isfinite(middle(recovery)):
        first = f"As written, not before the scenario ends ({recovery.runs - recovery.known} of {recovery.runs} seeds)."
    else:
        first = f"As written, {words} after the end of all faults."
    drain = told("recovery_time", closed_drain(setting))
    anyway = told("recovery_time", theory.drain_open(setting.outage, setting.load))
    return f"{first} A kept queue would drain in {drain} with users who wait; with new ones all the time, in {anyway}."

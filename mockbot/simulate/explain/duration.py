"""How long until it is normal again? The recovery times of the file as written; and a law where a queue is kept."""

from mockbot.faults.effects import SlotFactor
from mockbot.measures.outages import HOLD
from mockbot.scenario.calm import timeout_of
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Law, duration_words
from mockbot.simulate.explain.experiment import drained, recovery
from mockbot.simulate.explain.question import AS_WRITTEN, Figures, Measured, Question
from mockbot.simulate.explain.setting import Setting
from mockbot.units.formatting import format_rate

WELL, THROUGH, EMPTY = "well again after", "its prompts settled after", "nobody queues after"


def _measures(setting: Setting) -> tuple[Measured, ...]:
    outage = setting.begin, setting.clear, frozenset(setting.groups)
    measured = (
        Measured(WELL, "recovery_time", recovery(*outage, "well")),
        Measured(THROUGH, "recovery_time", recovery(*outage, "settled")),
    )
    if not setting.keeps_queue:  # it is empty at the end, whatever comes then
        return measured
    return (*measured, Measured(EMPTY, "recovery_time", drained(setting.clear, setting.until, setting.provider)))


def _law(setting: Setting) -> Law:
    """The drain of a queue that is kept whole, by users who wait (closed) or by arrivals (open)."""
    groups, begin = setting.groups, max(0.0, setting.begin - 1)
    if why := setting.unlike_blackout():
        return Law(why_not=why)
    effect = setting.faults[0].fault.effect()
    if not isinstance(effect, SlotFactor) or effect.factor.most > 0:
        return Law(why_not="the law is of a queue that is kept without being served, and here it is not")
    thinks = {group.think for name, group in groups.items() if setting.users([name])}
    arriving = sum(setting.timeline.at(begin).arrivals.get(name, 0.0) for name in groups)
    if len(thinks) + bool(arriving) != 1 or 0.0 in thinks or any(g.session > 1 for g in groups.values()):
        return Law(why_not="the law is of users with one think time, or of arrivals alone")
    users, rate = setting.users(groups), arriving
    if thinks:
        (think,) = thinks
        rate = users / think
        seconds = theory.drain_closed(setting.length, rate / setting.capacity, think, setting.spec.slots / users)
        waiting = theory.waiting_after(users, think, setting.length)
    else:
        seconds, waiting = theory.drain_open(setting.length, rate / setting.capacity), rate * setting.length
    if waiting > setting.spec.queue.limit:
        return Law(why_not=f"the law is of a queue that takes all, and {waiting:.0f} wait for the places of this one")
    wait = min(timeout_of(group) for group in groups.values())
    if wait < setting.length + waiting / setting.capacity:
        return Law(why_not=f"the law is of clients that wait, and here one leaves after {duration_words(wait)}")
    if setting.spec.queue.max_wait is not None or setting.clear + seconds > setting.until:
        return Law(
            why_not="the queue is not drained as the law has it: it has a limit of time, or the file ends before"
        )
    formula = "Z ln((1/rho - e^(-D/Z)) / (1/rho - 1 + s/N))" if thinks else "D rho / (1 - rho)"
    return Law(
        formula,
        "fluid limit of a queue that is kept; see Schroeder et al., NSDI'06, for open and closed",
        (f"D = {duration_words(setting.length)}, rho = {format_rate(rate)} / {format_rate(setting.capacity)}",),
        {f"{AS_WRITTEN}: {EMPTY}": seconds},
        says=f"By theory the queue is empty {duration_words(seconds)} after the end.",
    )


def _sentence(setting: Setting, figures: Figures, law: Law) -> str:
    well, through = figures.text(AS_WRITTEN, WELL), figures.text(AS_WRITTEN, THROUGH)
    told = [
        f"From the end of the outage until the users of {setting.provider} are well and stay so for {HOLD}s: {well}",
        f"until 95 % of what they had asked in it was answered or given up: {through}",
    ]
    if f"{AS_WRITTEN}: {EMPTY}" in figures:
        told.append(f"until nobody queues at {setting.provider}: {figures.text(AS_WRITTEN, EMPTY)}")
    return f"{'; '.join(told)}. {law.says}".strip()


def _senseless(setting: Setting) -> str:
    return "" if setting.clear < setting.timeline.end else "the outage lasts until the file ends"


QUESTION = Question(
    "how-long", "How long until it is normal again?", _senseless, lambda _: {}, _measures, _law, _sentence
)

"""Does failing over help, or does it take the other provider down too? The file with each way of failing over.

Diverted users are those that turn from the provider that is out to another; regular users ask that one in any case.
"""

from mockbot.scenario.answer_law import answers_per_second
from mockbot.scenario.calm import groups_of, timeout_of
from mockbot.scenario.policies import Guarded, PolicyBase
from mockbot.scenario.resilience_specs import ConsecutiveBreaker, FailOver, PerSuccess
from mockbot.scenario.schema import Group
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Law, duration_words
from mockbot.simulate.explain.experiment import good
from mockbot.simulate.explain.question import Figures, Measured, Question, Variant, with_groups
from mockbot.simulate.explain.setting import Setting
from mockbot.units.formatting import format_rate

NEVER, ON_RETRY, BREAKER = "no fail-over", "on every retry", "breaker and budget"
DIVERTED, REGULAR, AFTER = "diverted, good in it", "regular, good in it", "regular, good after it"


def _others(setting: Setting) -> list[str]:
    """The providers that could be asked instead, the one with the most room first."""

    def room(name: str) -> float:
        return answers_per_second(setting.scenario.providers[name]) - setting.rate(groups_of(setting.scenario, name))

    dialect = setting.spec.dialect
    named = [n for n, p in setting.scenario.providers.items() if n != setting.provider and p.dialect == dialect]
    return sorted(named, key=room, reverse=True)


def _diverted(setting: Setting) -> dict[str, str]:
    """Group -> provider: as the file has it; when nobody falls over in it, all that can, to the one with most room."""
    able = {name: group for name, group in setting.groups.items() if isinstance(group.policy, PolicyBase)}
    own = {name: group.falls_over_to for name, group in able.items() if group.falls_over_to}
    return own or dict.fromkeys(able, next(iter(_others(setting)), ""))


def _other(setting: Setting) -> str:
    return next(iter(_diverted(setting).values()))


def _regular(setting: Setting) -> frozenset[str]:
    return frozenset(groups_of(setting.scenario, _other(setting)))


def _senseless(setting: Setting) -> str:
    diverted = _diverted(setting)
    if not diverted:
        return f"what the clients of {setting.provider} do is fixed by their libraries, or by a policy of your own"
    if not _other(setting):
        return f"there is no other provider of the dialect {setting.spec.dialect} in this file to turn to"
    return "" if setting.rate(diverted) else f"nobody asks {setting.provider} when the outage begins"


def _way(setting: Setting, name: str, other: str, way: str) -> Group:
    group = setting.scenario.crowd[name]
    policy = group.policy
    if not isinstance(policy, PolicyBase):
        return group
    update: dict[str, object] = {"fail_over": None if way == NEVER else FailOver(when="retry")}
    if way == BREAKER and isinstance(policy, Guarded):
        update = {"fail_over": FailOver(when="breaker"), "breaker": policy.breaker or ConsecutiveBreaker(failures=3)}
        update["budget"] = policy.budget or PerSuccess()
    changed = {"falls_over_to": None if way == NEVER else other, "policy": policy.model_copy(update=update)}
    return group.model_copy(update=changed)


def _variants(setting: Setting) -> dict[str, Variant]:
    diverted = _diverted(setting)
    who = f"{', '.join(diverted)} of {setting.provider}"
    differs = {
        NEVER: f"{who} ask no other provider",
        ON_RETRY: f"every retry of {who} goes to the next provider ({_other(setting)})",
        BREAKER: f"{who} ask {_other(setting)} while their circuit breaker is open, with a retry budget",
    }
    guarded = any(isinstance(setting.scenario.crowd[name].policy, Guarded) for name in diverted)
    ways = differs if guarded else [NEVER, ON_RETRY]
    return {
        way: Variant(
            with_groups(setting.scenario, {name: _way(setting, name, to, way) for name, to in diverted.items()}),
            differs[way],
        )
        for way in ways
    }


def _measures(setting: Setting) -> tuple[Measured, ...]:
    begin, clear, slo, regular = setting.begin, setting.clear, setting.scenario.slo, _regular(setting)
    return (
        Measured(DIVERTED, "availability", good(begin, clear, slo, frozenset(_diverted(setting)))),
        Measured(REGULAR, "availability", good(begin, clear, slo, regular)),
        Measured(AFTER, "availability", good(clear, setting.until, slo, regular)),
    )


def _law(setting: Setting) -> Law:
    if why := setting.unlike_blackout():
        return Law(why_not=why)
    if setting.keeps_queue:
        return Law(why_not="the law is of requests that fail, and in this outage they wait")
    if len(set(_diverted(setting).values())) > 1:
        return Law(why_not="the law is of one other provider, and here there are several")
    other, diverted, regular = _other(setting), frozenset(_diverted(setting)), _regular(setting)
    if any(span.provider == other for span in setting.timeline.faults):
        return Law(why_not=f"the law is of another provider that is whole, and {other} has faults of its own")
    if not regular:
        return Law(why_not=f"the law is of the regular users of the other provider, and {other} has none")
    spec = setting.scenario.providers[other]
    if spec.replicas > 1:
        return Law(why_not=f"the law is of one queue, and {other} has {spec.replicas}, one for each replica")
    groups = setting.scenario.crowd
    wait = min(timeout_of(groups[name]) for name in regular)
    if spec.queue.limit / answers_per_second(spec) < wait:
        full = duration_words((spec.queue.limit + spec.slots) / answers_per_second(spec))
        return Law(
            why_not=f"the law is of a queue that grows until clients leave, and that of {other} is full before: its"
            f" last place waits {full}, and clients {duration_words(wait)}"
        )
    rates = setting.rate(regular), setting.rate(diverted), answers_per_second(spec)
    holds = theory.failover_holds(*rates, setting.length, wait)
    return Law(
        "the other survives when (lambda_A + lambda_B - C_B) D < C_B T",
        "fluid limit: the backlog must stay below what is answered within the timeout T",
        (
            f"lambda_A = {format_rate(rates[1])}, lambda_B = {format_rate(rates[0])}, C_B = {format_rate(rates[2])}",
            f"D = {duration_words(setting.length)}, T = {duration_words(wait)}",
        ),
        says=f"By theory {other} has {'' if holds else 'no '}room for all of them.",
    )


def _sentence(setting: Setting, figures: Figures, law: Law) -> str:
    helped = figures.change(ON_RETRY, NEVER, DIVERTED)
    hurt = {figures.change(ON_RETRY, NEVER, REGULAR), figures.change(ON_RETRY, NEVER, AFTER)}
    other, diverted = _other(setting), _diverted(setting)
    own = any(setting.groups[name].falls_over_to for name in diverted)
    verdict = {"more": f"helps those who turn to {other}", "less": f"harms those who turn to {other}"}.get(
        helped, f"is not shown to help those who turn to {other}"
    )
    harm = f"and harms the regular users of {other}" if "less" in hurt else f"and no harm to those of {other} is shown"
    if not _regular(setting):
        harm = f"and {other} has no regular users"
    staged = "" if own else f"Nobody does in this file; this is of {', '.join(diverted)} if they did. "
    breaker = (
        f", {figures.text(BREAKER, DIVERTED)} behind breaker and budget" if f"{BREAKER}: {DIVERTED}" in figures else ""
    )
    text = (
        f"{staged}Failing over on every retry {verdict}, {harm}. Good of what they ask in the outage:"
        f" {figures.text(NEVER, DIVERTED)} without fail-over, {figures.text(ON_RETRY, DIVERTED)} with it on every"
        f" retry{breaker}."
    )
    if _regular(setting):
        text += (
            f" Of the regular users, without it and with it: {figures.text(NEVER, REGULAR)} and"
            f" {figures.text(ON_RETRY, REGULAR)} in the outage, {figures.text(NEVER, AFTER)} and"
            f" {figures.text(ON_RETRY, AFTER)} after it."
        )
    return f"{text} {law.says}".strip()


QUESTION = Question(
    "failing-over", "Does failing over help, or does it take the other provider down too?",
    _senseless, _variants, _measures, _law, _sentence,
)  # fmt: skip

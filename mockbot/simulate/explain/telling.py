"""Does telling people shorten it? The file with nothing said, with Retry-After, and with a status page that is read."""

from mockbot.faults import Fault
from mockbot.faults.base import FaultBase
from mockbot.faults.effects import EdgeAnswer
from mockbot.faults.http_error import HttpError
from mockbot.faults.maintenance import Maintenance
from mockbot.scenario.policies import Backoff, BackoffBase, Guarded, Informed
from mockbot.scenario.schema import Group, Scenario, StatusUpdate
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Law, duration_words
from mockbot.simulate.explain.experiment import good, peak, recovery, requests
from mockbot.simulate.explain.question import AS_WRITTEN, Figures, Measured, Question, Variant, with_groups
from mockbot.simulate.explain.setting import Setting
from mockbot.units.formatting import format_rate
from mockbot.units.quantities import duration_text

SILENT, EXACT, JITTER, PAGE = "nothing said", "exact Retry-After", "jittered Retry-After", "status page read"
WELL, GOOD, SENT, PEAK = (
    "well again after",
    "good, asked in it",
    "requests in it / capacity",
    "peak after it / capacity",
)


def _refusing(setting: Setting) -> list[FaultBase]:
    """The faults of the outage that answer with an error, which could say when to come back."""
    return [span.fault for span in setting.faults if isinstance(span.fault.effect(), EdgeAnswer)]


def _scope(fault: FaultBase) -> dict[str, object]:
    return {name: getattr(fault, name) for name in type(fault).model_fields if name != fault.kind}


def _silent(fault: Fault) -> Fault:
    effect = fault.effect()
    if not isinstance(effect, EdgeAnswer) or effect.retry_after is None:
        return fault
    error = {"status": effect.status, "code": effect.code}
    if isinstance(fault, HttpError):
        return fault.model_copy(update={"http_error": fault.http_error.model_copy(update={"retry_after": None})})
    return HttpError.model_validate(_scope(fault) | {"http_error": error})


def _announcing(fault: Fault) -> Fault:
    if not isinstance(fault.effect(), EdgeAnswer):
        return fault
    return Maintenance.model_validate(_scope(fault) | {"maintenance": {"retry_after": "until_end", "exempt": ()}})


def _with_faults(scenario: Scenario, changed: dict[int, Fault]) -> Scenario:
    """`changed`: by the identity of the fault in the file."""
    phases = tuple(
        phase.model_copy(update={"faults": tuple(changed.get(id(fault), fault) for fault in phase.faults)})
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"phases": phases, "expect": ()})


def _obeys(group: Group, retry_after: object, spread: float) -> Group:
    """The group with back-off that obeys a Retry-After; its own numbers where it backs off already."""
    policy = group.policy
    if not isinstance(policy, BackoffBase):
        policy = Backoff(attempts=1000, timeout=policy.timeout if isinstance(policy, Guarded) else group.patience)
    update = {"retry_after": retry_after, "spread": spread}
    return group.model_copy(update={"policy": policy.model_copy(update=update)})


def _reads(group: Group) -> Group:
    own = group.policy.model_dump(exclude={"name"})
    return group.model_copy(update={"policy": Informed.model_validate(own)})


def _spread(setting: Setting) -> float:
    """Seconds over which all who wait can be answered in turn; half a minute at least."""
    names, think = setting.groups, max((group.think for group in setting.groups.values()), default=0.0)
    waiting = theory.waiting_after(setting.users(names), think, setting.length)
    needed = theory.spread_needed(waiting, setting.capacity, min(setting.rate(names), 0.95 * setting.capacity))
    return max(30.0, round(1.25 * needed))


def _variants(setting: Setting) -> dict[str, Variant]:
    scenario, groups, spread = setting.scenario, setting.groups, _spread(setting)
    providers = {n: p.model_copy(update={"retry_after": None}) for n, p in scenario.providers.items()}
    quiet = scenario.model_copy(update={"providers": providers, "status_page": ()})
    mute = {id(fault): _silent(fault) for phase in scenario.phases for fault in phase.faults}
    quiet = _with_faults(quiet, mute)
    patient = {name: _obeys(group, True, spread) for name, group in groups.items()}
    found = {SILENT: Variant(with_groups(quiet, patient), "no Retry-After and no status page, and all back off")}
    if refusing := _refusing(setting):
        told = _with_faults(scenario, {id(fault): _announcing(fault) for fault in refusing})
        errors = f"the errors of {setting.provider} are 503 with a Retry-After until their end"
        for name, way, words in (
            (EXACT, "exact", "to the second"),
            (JITTER, True, f"plus up to {duration_text(spread)}"),
        ):
            crowd = {n: _obeys(group, way, spread) for n, group in groups.items()}
            found[name] = Variant(with_groups(told, crowd), f"{errors}, and all back off and obey it {words}")
    page, words = scenario.status_page, "the file's status page"
    if not any(each.provider in {None, setting.provider} for each in page):
        on = {"provider": setting.provider}
        begin = StatusUpdate(at=duration_text(setting.begin), state="investigating", **on)
        end = StatusUpdate(at=duration_text(setting.clear), state="resolved", **on)
        page, words = (*page, begin, end), "a status page that is right from begin to end"
    read = with_groups(scenario, {name: _reads(group) for name, group in patient.items()})
    text = f"all back off, read {words}, and send nothing while an incident is open there"
    return found | {PAGE: Variant(read.model_copy(update={"status_page": page}), text)}


def _measures(setting: Setting) -> tuple[Measured, ...]:
    begin, clear, capacity = setting.begin, setting.clear, setting.capacity
    return (
        Measured(WELL, "recovery_time", recovery(begin, clear, frozenset(setting.groups), "well")),
        Measured(GOOD, "availability", good(begin, clear, setting.scenario.slo, frozenset(setting.groups))),
        Measured(SENT, "overshoot", requests(begin, clear, setting.provider, capacity)),
        Measured(PEAK, "overshoot", peak(clear, setting.until, setting.provider, capacity, setting.service)),
    )


def _law(setting: Setting) -> Law:
    """The peak of a herd that returns at one moment."""
    groups = setting.groups
    why = setting.unlike_blackout()
    if why or not _refusing(setting) or setting.clear >= setting.until:
        return Law(why_not=why or "the law is of refusals that say when to come back, and here nothing is refused")
    thinks = {group.think for group in groups.values()}
    if len(thinks) > 1 or 0.0 in thinks or any(group.users is None for group in groups.values()):
        return Law(why_not="the law is of a fixed number of users with one think time")
    patience = min(group.patience for group in groups.values())
    if patience < setting.length + 60 or any(group.comes_back is not None for group in groups.values()):
        gone = duration_words(patience)
        return Law(why_not=f"the law is of users who wait for the end, and here they give up after {gone}")
    (think,) = thinks
    users = setting.users(groups)
    waiting = theory.waiting_after(users, think, setting.length)
    answer = max(1, round(setting.service))
    height = theory.herd_peak(waiting, users, think, answer)
    return Law(
        "the herd's peak is Ns + (N - Ns) S / Z in the time S of an answer, Ns = N (1 - e^(-D/Z))",
        "fluid limit of users who return at one moment",
        (
            f"Ns = {waiting:.0f} of N = {users}, D = {duration_words(setting.length)}",
            f"Z = {duration_words(think)}, S = {answer}s, C = {format_rate(setting.capacity)}",
        ),
        {f"{EXACT}: {PEAK}": height / answer / setting.capacity},
    )


def _sentence(setting: Setting, figures: Figures, law: Law) -> str:  # noqa: ARG001 - as its siblings
    ways = [way for way in (EXACT, JITTER, PAGE) if f"{way}: {WELL}" in figures or f"{way}: {GOOD}" in figures]
    shown = [
        f"{words} with {_listed(those, ways)}"
        for what, change, words in (
            (WELL, "less", "it is well again sooner"),
            (WELL, "more", "it is well again later"),
            (GOOD, "more", "more of what is asked in it is good"),
            (GOOD, "less", "less of what is asked in it is good"),
            (SENT, "less", f"fewer requests reach {setting.provider} in it"),
            (SENT, "more", f"more requests reach {setting.provider} in it"),
        )
        if (those := [way for way in ways if figures.change(way, SILENT, what) == change])
    ]
    if not any(figures.change(way, SILENT, WELL) != "same" for way in ways):
        shown.insert(0, "no difference is shown in when it is well again")
    each = (
        f"{name}: well again after {figures.text(way, WELL)}, {figures.text(way, GOOD)} of what is asked in it good,"
        f" requests for {figures.text(way, SENT)} times the capacity in it"
        for way, name in (*((way, way) for way in (SILENT, *ways)), (AS_WRITTEN, "the file as written"))
    )
    listed = ". ".join(part[0].upper() + part[1:] for part in each)
    text = f"Among clients that back off, against saying nothing: {'; '.join(shown)}. {listed}."
    if f"{EXACT}: {PEAK}" in figures:
        larger = figures.change(EXACT, JITTER, PEAK) == "more"
        brings = "brings a herd after it" if larger else "is not shown to bring more requests at once than with jitter"
        text += (
            f" Obeyed to the second, a Retry-After {brings}: within the time of one answer"
            f" ({duration_words(setting.service)}) come up to {figures.text(EXACT, PEAK)} times as many requests as can"
            f" be answered, with jitter {figures.text(JITTER, PEAK)}, with nothing said {figures.text(SILENT, PEAK)}."
        )
    return text


def _listed(those: list[str], ways: list[str]) -> str:
    return "each way of telling" if len(those) == len(ways) > 1 else " and ".join(those)


def _senseless(setting: Setting) -> str:
    if not setting.rate(setting.groups):
        return f"nobody asks {setting.provider} when the outage begins"
    return "" if setting.clear < setting.timeline.end else "the outage lasts until the file ends"


QUESTION = Question(
    "telling", "Does telling people shorten it?", _senseless, _variants, _measures, _law, _sentence, recovery=True
)

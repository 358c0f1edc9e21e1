"""Does refreshing help? The service: when everybody reloads and when nobody does. One user: when one in ten does."""

from collections.abc import Mapping

from mockbot.scenario.policies import Backoff, Refresh
from mockbot.scenario.schema import Group, Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Law, duration_words
from mockbot.simulate.explain.experiment import good, median_wait
from mockbot.simulate.explain.question import AS_WRITTEN, Figures, Measured, Question, Variant, with_groups
from mockbot.simulate.explain.setting import Setting
from mockbot.units.formatting import format_rate
from mockbot.units.quantities import duration_text

EVERYBODY, NOBODY, ONE_IN_TEN = "everybody reloads", "nobody reloads", "one in ten reloads"
IN_IT, AFTER = "good, asked in it", "good, asked after it"
WHO_RELOAD, WHO_WAIT = "who reload", "the others"
FEW = 0.1  # of every group, who reload where all others wait: too few to harm anybody
AROUND = 1.5  # times the law's edge, above and below it, where the file is tried
SUFFIX = "+reload"  # no name of a file has a +


def _refreshers(setting: Setting) -> dict[str, Refresh]:
    return {name: group.policy for name, group in setting.groups.items() if isinstance(group.policy, Refresh)}


def _reload(setting: Setting) -> Refresh:
    """The file's most impatient way to reload; where nobody reloads, three answers' time apart, 10 s at least."""
    own = sorted(_refreshers(setting).values(), key=lambda policy: policy.every)
    return own[0] if own else Refresh(every=max(10.0, float(round(3 * setting.service))))


def _how(policy: Refresh) -> str:
    return f"every {duration_text(policy.every)}" if policy.every else "at each error"


def _waits(group: Group) -> Group:
    policy = group.policy
    if not isinstance(policy, Refresh):
        return group
    return group.model_copy(
        update={"policy": Backoff(attempts=1000, timeout=group.patience, fail_over=policy.fail_over)}
    )


def _variants(setting: Setting) -> dict[str, Variant]:
    groups, own, policy = setting.groups, _refreshers(setting), _reload(setting)
    all_reload = {name: group.model_copy(update={"policy": policy}) for name, group in groups.items()}
    waiting = with_groups(setting.scenario, {name: _waits(group) for name, group in groups.items()})
    found = {}
    if all_reload != groups:
        text = f"all of {setting.provider} reload {_how(policy)}"
        text += "" if own else ", three times the time of an answer, at least 10s"
        found[EVERYBODY] = Variant(with_groups(setting.scenario, all_reload), text)
    if own:
        text = "those who reload back off instead, and wait for as long as their patience lasts"
        found[NOBODY] = Variant(waiting, text)
    text = f"of every group a tenth reloads {_how(policy)}, and nobody else does"
    found[ONE_IN_TEN] = Variant(_split(waiting, groups, policy), text)
    law = _law(setting)
    for times in (1 / AROUND, AROUND) if not law.why_not else ():
        every = _tried(setting, times)
        changed = {name: p.model_copy(update={"every": every}) for name, p in own.items()}
        crowd = {name: groups[name].model_copy(update={"policy": changed[name]}) for name in own}
        text = f"as written, but r = {duration_text(every)}"
        found[_at(times)] = Variant(with_groups(setting.scenario, crowd), text)
    return found


def _tried(setting: Setting, times: float) -> float:
    return round(times * _edge(setting)[0], 1)


def _at(times: float) -> str:
    return f"{'above' if times > 1 else 'below'} the edge"


def _split(scenario: Scenario, groups: Mapping[str, Group], policy: Refresh) -> Scenario:
    """Every one of these groups in two; those who reload have a group beside their own."""
    crowd, parts = {}, {}
    for name, group in scenario.crowd.items():
        parts[name] = {name: 1.0}
        if name in groups:
            parts[name] = {name: 1 - FEW, f"{name}{SUFFIX}": FEW}
        for part, share in parts[name].items():
            users = None if group.users is None else group.users * share
            arrivals = None if group.arrivals is None else group.arrivals * share
            changed = {"users": users, "arrivals": arrivals, "policy": group.policy if part == name else policy}
            crowd[part] = group.model_copy(update=changed)
    phases = tuple(
        phase.model_copy(update={"mix": {p: own * s for n, own in phase.mix.items() for p, s in parts[n].items()}})
        if phase.mix
        else phase
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"crowd": crowd, "phases": phases, "expect": ()})


def _measures(setting: Setting) -> tuple[Measured, ...]:
    begin, clear, slo, names = setting.begin, setting.clear, setting.scenario.slo, frozenset(setting.groups)
    few = frozenset(f"{name}{SUFFIX}" for name in names)
    both = names | few
    return (
        Measured(IN_IT, "availability", good(begin, clear, slo, both)),
        Measured(AFTER, "availability", good(clear, setting.until, slo, both)),
        Measured(f"{IN_IT}, {WHO_RELOAD}", "availability", good(begin, clear, slo, few), ONE_IN_TEN),
        Measured(f"{IN_IT}, {WHO_WAIT}", "availability", good(begin, clear, slo, names), ONE_IN_TEN),
        Measured(f"median wait, {WHO_RELOAD}", "recovery_time", median_wait(begin, clear, few), ONE_IN_TEN),
        Measured(f"median wait, {WHO_WAIT}", "recovery_time", median_wait(begin, clear, names), ONE_IN_TEN),
    )


def _edge(setting: Setting) -> tuple[float, str]:
    """(the interval below which it stays down, the formula)."""
    own, spec = _refreshers(setting), setting.spec
    users, queue = setting.users(own), spec.queue.limit
    if setting.keeps_queue:
        return theory.refresh_safe(
            users, queue, spec.slots, setting.capacity
        ), "it can stick when r < min(N, q + s) / C"
    think = max(setting.groups[name].think for name in own)
    waiting = theory.waiting_after(users, think, setting.length)
    edge = theory.refresh_tips(waiting, queue, spec.slots, setting.capacity)
    return edge, "it sticks when r < min(Ns/2, q + s) / C, with Ns = N (1 - e^(-D/Z))"


def _law(setting: Setting) -> Law:
    own, groups = _refreshers(setting), setting.groups
    users = setting.users(own)
    if why := _unlike(setting, own, users):
        return Law(why_not=why)
    (policy,) = set(own.values())
    edge, formula = _edge(setting)
    if why := setting.long_answers(min(policy.every, edge / AROUND)):
        return Law(why_not=why)
    patience = min(groups[name].patience for name in own)
    if patience < 3 * edge:
        text = f"the law is of users who do not give up, and here they do after {duration_words(patience)}"
        return Law(why_not=f"{text}, less than three times its edge of {duration_words(edge)}")
    return Law(
        formula,
        "fluid limit of a FIFO queue whose abandoned work continues; Bronson et al., HotOS'21",
        (
            f"N = {users}, q + s = {setting.spec.queue.limit} + {setting.spec.slots}",
            f"C = {setting.spec.slots} slots / {duration_words(setting.service)} = {format_rate(setting.capacity)}",
            f"r = {duration_words(policy.every)}, edge = {duration_words(edge)}",
        ),
        says=f"By theory it {'can stay' if setting.keeps_queue else 'stays'} down when all reload more often than every"
        f" {duration_words(edge)}",
    )


def _unlike(setting: Setting, own: Mapping[str, Refresh], users: int) -> str:
    """Why the law is not of this crowd and this outage."""
    if not own:
        return "the law is of a crowd that reloads, and nobody in this file does"
    if len(own) < len(setting.groups):
        return f"the law is of a crowd that all reloads, and not all users of {setting.provider} do"
    if len(set(own.values())) > 1 or not all(policy.every for policy in own.values()):
        return "the law is of one interval between two reloads, and here there is not one"
    if not users or any(setting.groups[name].comes_back is not None for name in own):
        return "the law is of a fixed number of users who come back as usual"
    if setting.clear >= setting.until:
        return "the outage lasts until the file ends"
    return setting.unlike_fifo() or ("" if setting.keeps_queue and not setting.faults else setting.unlike_blackout())


def _good(figures: Figures, name: str) -> str:
    """In the outage and after it; of an outage to the end of the file, in it alone."""
    after = f" and {figures.text(name, AFTER)} of what is asked after it" if f"{name}: {AFTER}" in figures else ""
    return f"{figures.text(name, IN_IT)} of what is asked in the outage is good{after}"


def _sentence(setting: Setting, figures: Figures, law: Law) -> str:
    variants = {title.split(": ")[0] for title in figures}
    all_, none = (name if name in variants else AS_WRITTEN for name in (EVERYBODY, NOBODY))
    changes = {figures.change(all_, none, IN_IT), figures.change(all_, none, AFTER)}
    verdict = {
        (True, False): "For all together it helps",
        (False, True): "For all together it harms",
        (True, True): "For all together it helps at one time and harms at another",
        (False, False): "For all together no difference is shown",
    }["more" in changes, "less" in changes]
    everybody = f"when all users of {setting.provider} reload {_how(_reload(setting))}, {_good(figures, all_)}"
    parts = [f"{verdict}: {everybody}; when nobody does, {_good(figures, none)}."]
    titles = [f"{IN_IT}, {who}" for who in (WHO_RELOAD, WHO_WAIT)]
    one, two = (figures.get(f"{ONE_IN_TEN}: {title}") for title in titles)
    if one is not None and two is not None:
        word = {"more": "it helps them", "less": "it harms them", "same": "no difference is shown for them"}
        parts.append(
            f"When one in ten reload, {word[one.against(two)]}: {one} of theirs is good, of the others' {two}."
        )
    if law.says:
        ways = 1 / AROUND, AROUND
        intervals = " and ".join(duration_text(_tried(setting, times)) for times in ways)
        tried = " and ".join(figures.text(_at(times), AFTER) for times in ways)
        parts.append(f"{law.says}; with {intervals}, {tried} of what is asked after it is good.")
    return " ".join(parts)


def _senseless(setting: Setting) -> str:
    return "" if setting.rate(setting.groups) else f"nobody asks {setting.provider} when the outage begins"


QUESTION = Question("refreshing", "Does refreshing help?", _senseless, _variants, _measures, _law, _sentence)

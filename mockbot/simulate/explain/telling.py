"""Does telling people shorten it? The scenario's crowd and outage four times: nothing is said, Retry-After is obeyed to
the second, with jitter, and the status page is read.
"""

import math
from dataclasses import dataclass

from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, Figure, middle, told
from mockbot.simulate.explain.lab import Lab, Life
from mockbot.simulate.explain.setting import Setting
from mockbot.simulate.explain.stages import calm, course, staged
from mockbot.simulate.spread import Interval

RUNS = 4
AFTER = 900.0
CROWD = 400  # users of the staged crowd
LEAST, MOST = 60.0, 1800.0  # seconds of outage that are staged
WORDS = {
    "nothing": "nothing said",
    "exact": "Retry-After to the second",
    "jitter": "Retry-After + jitter",
    "status": "status page read",
}


@dataclass(frozen=True, slots=True)
class Herd:
    """`waiting` of `users` wait to be let in; `spread`: seconds of jitter that let the provider serve them in turn."""

    waiting: float
    think: float
    users: int
    outage: float
    spread: float

    def peak(self, spread: float) -> float:
        """The most requests in a second after the end, if everybody is answered at once.

        a(w) = N/Z e^(-(D-w)/Z) people a second were told to wait w seconds; with jitter up to min(w, J) they come at
        a(w)/min(w, J) a second for so long, and ask anew after thinking for Z.
        """
        within = [(left, max(1.0, min(left, spread)), rate) for left, rate in self._told()]
        thinking, most = self.users - self.waiting, 0.0
        for second in range(int(max(1.0, spread)) + 1):
            back = sum(rate / jitter for _, jitter, rate in within if second < jitter)
            most = max(most, back + thinking / self.think)
            thinking += back - thinking / self.think
        return most

    def _told(self) -> list[tuple[float, float]]:
        """(seconds left to wait, how many people were told so), in a few hundred steps."""
        steps = 400
        width = self.outage / steps
        lefts = [(step + 0.5) * width for step in range(steps)]
        asks = [math.exp(-(self.outage - left) / self.think) for left in lefts]
        return [(left, self.waiting * ask / sum(asks)) for left, ask in zip(lefts, asks, strict=True)]


def herd_of(setting: Setting) -> Herd:
    """With as much jitter as lets the provider serve all in turn, and a quarter more."""
    outage = staged_outage(setting)
    waiting = theory.waiting_after(setting.users, setting.think, outage)
    needed = theory.spread_needed(waiting, setting.capacity, min(setting.rate, 0.95 * setting.capacity))
    return Herd(waiting, setting.think, setting.users, outage, max(30.0, 1.25 * needed))


def staged_outage(setting: Setting) -> float:
    """As long as the scenario's, but neither very short nor very long."""
    return min(MOST, max(LEAST, setting.outage))


def times_of(setting: Setting) -> float:
    """How much larger the crowd is staged, so that a peak is more than chance."""
    return max(1.0, CROWD / setting.users)


def answer(scenario: Scenario, setting: Setting, lab: Lab, live: Life | None) -> Answer:  # noqa: ARG001 - as its siblings
    """The answer for this scenario's crowd."""
    herd = herd_of(setting)
    lives = {way: lab.lives(told_this_way(setting, herd, way)) for way in WORDS}
    begin, end = calm(setting), calm(setting) + herd.outage
    peaks = {"exact": herd.peak(0.0) / setting.capacity, "jitter": herd.peak(herd.spread) / setting.capacity}
    through = {way: lab.spread(some, lambda life: life.through(begin, end)) for way, some in lives.items()}
    sent = {
        way: lab.spread(some, lambda life: _sent(life, begin, end) / (times_of(setting) * setting.capacity))
        for way, some in lives.items()
    }
    capacity = times_of(setting) * setting.capacity
    figures = []
    for way, words in WORDS.items():
        peak = lab.spread(lives[way], lambda life: life.peak(end, end + AFTER) / capacity)
        figures += [
            Figure(f"{words}: peak / C", "overshoot", peaks.get(way), peak),
            Figure(f"{words}: all through", "recovery_time", None, through[way]),
            Figure(f"{words}: sent during it / C", "overshoot", None, sent[way]),
        ]
    return Answer(
        "telling",
        "Does telling people shorten it?",
        _sentence(through, {way: middle(each) for way, each in sent.items()}, peaks),
        "the herd's peak is Ns + (N - Ns)/Z; with jitter J it is sum of a(w) / min(w, J); J* = Ns / (C - lambda)",
        "fluid limit; a(w) = N/Z e^(-(D-w)/Z) people a second are told to wait w",
        (
            f"Ns = {herd.waiting:.0f} of N = {setting.users}, D = {told('recovery_time', herd.outage)}",
            f"J = {told('recovery_time', herd.spread)}, C = {setting.capacity:.3g}/s",
        ),
        tuple(figures),
        staged="One crowd of the scenario's size that backs off (cap 30 s) and has no other difference.",
        notes=("All through: from the end of the outage until 95 % of those who asked in it have an answer.",),
    )


def told_this_way(setting: Setting, herd: Herd, way: str) -> Scenario:
    """What the service says, and what the clients make of it."""
    backoff: dict[str, object] = {"name": "backoff", "attempts": 100_000, "base": 1.0, "cap": 30.0}
    backoff["timeout"] = max(30.0, 5 * setting.service)
    policies: dict[str, dict[str, object]] = {
        "nothing": backoff | {"retry_after": False},
        "exact": backoff | {"retry_after": "exact"},
        "jitter": backoff | {"retry_after": True, "spread": herd.spread},
        "status": backoff | {"name": "informed", "return_within": herd.spread, "look": 60.0},
    }
    says_when = way in {"exact", "jitter"}
    fault: dict[str, object] = {"maintenance": {"retry_after": "until_end"}} if says_when else {"http_error": 503}
    group = {"users": 1.0, "policy": policies[way], "think": setting.think, "patience": herd.outage + 2 * AFTER}
    phases = course(setting, fault, herd.outage, AFTER + 2 * herd.spread)
    world = staged(setting, {"all": group}, phases, slo=60.0, times=times_of(setting))
    page = (
        {"at": "bad", "state": "investigating", "impact": "major"},
        {"at": "after", "state": "resolved", "impact": "none"},
    )
    return Scenario.model_validate(world.model_dump(exclude={"status_page"}) | {"status_page": page})


def _sent(life: Life, begin: float, end: float) -> float:
    """Requests per second during the outage."""
    return sum(second.offered for second in life.seconds if begin <= second.t < end) / (end - begin)


def _sentence(through: dict[str, Interval], sent: dict[str, float], peaks: dict[str, float]) -> str:
    took = {way: told("recovery_time", middle(each)) for way, each in through.items()}
    spared = 1 - sent["jitter"] / sent["nothing"] if sent["nothing"] else 0.0
    sooner = min(middle(through["status"]), middle(through["jitter"])) < 0.9 * middle(through["nothing"])
    verdict = "It does, and it" if sooner else "It does not make it shorter, but it"
    return (
        f"{verdict} spares the service {spared:.0%} of the requests while it is out. All are through "
        f"{took['nothing']} after the end when nothing is said, {took['jitter']} with Retry-After and jitter, "
        f"{took['status']} with the status page. A Retry-After that is obeyed to the second is an appointment: a "
        f"second with {peaks['exact']:.0f} times what can be answered."
    )

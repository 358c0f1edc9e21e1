"""Does informing the users shorten it? The scenario's crowd and outage four times: without information, with a
Retry-After that is obeyed to the second, with jitter, and with a status page that is read.
"""

import math
from dataclasses import dataclass

from mockbot.scenario.schema import Scenario
from mockbot.simulate import theory
from mockbot.simulate.explain.answer import Answer, duration_words
from mockbot.simulate.explain.experiment import Experiments, RunResult, all_answered, measured, peak, sent
from mockbot.simulate.explain.parameters import Setting
from mockbot.simulate.explain.staged_scenarios import calm, course, staged
from mockbot.units.formatting import format_percent, format_rate

RUNS = 4
AFTER = 900.0
CROWD = 400  # users of the staged crowd at least, so that a peak is more than chance
LEAST, MOST = 60.0, 1800.0  # seconds of outage that are staged
STEPS = 400  # of the herd's law
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
        """The most requests in a second after the end, if every request is answered at once.

        a(w) = N/Z e^(-(D-w)/Z) requests a second got a Retry-After of w seconds; with jitter up to min(w, J) they
        return at a(w)/min(w, J) a second for so long, and ask anew after thinking for Z.
        """
        lefts = [(step + 0.5) * (self.outage / STEPS) for step in range(STEPS)]
        asks = [math.exp(-(self.outage - left) / self.think) for left in lefts]
        within = [
            (max(1.0, min(left, spread)), self.waiting * a / sum(asks)) for left, a in zip(lefts, asks, strict=True)
        ]
        thinking, most = self.users - self.waiting, 0.0
        for second in range(int(max(1.0, spread)) + 1):
            back = sum(rate / jitter for jitter, rate in within if second < jitter)
            most = max(most, back + thinking / self.think)
            thinking += back - thinking / self.think
        return most


def herd_of(setting: Setting) -> Herd:
    """After an outage neither very short nor very long, with the jitter that serves all in turn, and a quarter more."""
    outage = min(MOST, max(LEAST, setting.outage))
    waiting = theory.waiting_after(setting.users, setting.think, outage)
    needed = theory.spread_needed(waiting, setting.capacity, min(setting.rate, 0.95 * setting.capacity))
    return Herd(waiting, setting.think, setting.users, outage, max(30.0, 1.25 * needed))


def answer(scenario: Scenario, setting: Setting, experiments: Experiments, live: RunResult | None) -> Answer:  # noqa: ARG001 - as its siblings
    """The answer for this scenario's crowd."""
    herd = herd_of(setting)
    begin, end = calm(setting), calm(setting) + herd.outage
    capacity = max(1.0, CROWD / setting.users) * setting.capacity
    peaks = {"exact": herd.peak(0.0) / setting.capacity, "jitter": herd.peak(herd.spread) / setting.capacity}
    figures, took, load = [], {}, {}
    for way, words in WORDS.items():
        runs = experiments.runs(with_way(setting, herd, way))
        highest = peak(end, end + AFTER, capacity)
        figures += [
            measured(f"{words}: peak / C", "overshoot", highest, runs, theory=peaks.get(way)),
            measured(f"{words}: all through", "recovery_time", all_answered(begin, end), runs),
            measured(f"{words}: sent during it / C", "overshoot", sent(begin, end, capacity), runs),
        ]
        took[way], load[way] = figures[-2].middle(), figures[-1].middle()
    spared = 1 - load["jitter"] / load["nothing"] if load["nothing"] else 0.0
    sooner = min(took["status"], took["jitter"]) < 0.9 * took["nothing"]
    times = {way: duration_words(seconds) for way, seconds in took.items()}
    return Answer(
        "telling",
        "Does telling people shorten it?",
        f"{'It does, and it' if sooner else 'It does not make it shorter, but it'} spares the service"
        f" {format_percent(spared)} of the requests while it is out."
        f" All are through {times['nothing']} after the end when nothing is said,"
        f" {times['jitter']} with Retry-After and jitter, {times['status']} with the status page. A Retry-After that is"
        f" obeyed to the second is an appointment: a second with {peaks['exact']:.0f} times what can be answered.",
        "the herd's peak is Ns + (N - Ns)/Z; with jitter J it is sum of a(w) / min(w, J); J* = Ns / (C - lambda)",
        "fluid limit; a(w) = N/Z e^(-(D-w)/Z) people a second are told to wait w",
        (
            f"Ns = {herd.waiting:.0f} of N = {setting.users}, D = {duration_words(herd.outage)}",
            f"J = {duration_words(herd.spread)}, C = {format_rate(setting.capacity)}",
        ),
        tuple(figures),
        staged="One crowd of the scenario's size that backs off (cap 30s) and has no other difference.",
        notes=("All through: from the end of the outage until 95 % of those who asked in it have an answer.",),
    )


def with_way(setting: Setting, herd: Herd, way: str) -> Scenario:
    """What the service sends, and what the clients make of it; `way` is a key of WORDS."""
    policy: dict[str, object] = {"name": "backoff", "attempts": 100_000, "base": 1.0, "cap": 30.0}
    policy["timeout"] = max(30.0, 5 * setting.service)
    changes: dict[str, dict[str, object]] = {
        "nothing": {"retry_after": False},
        "exact": {"retry_after": "exact"},
        "jitter": {"retry_after": True, "spread": herd.spread},
        "status": {"name": "informed", "return_within": herd.spread, "look": 60.0},
    }
    sends_retry_after = way in {"exact", "jitter"}
    fault: dict[str, object] = (
        {"maintenance": {"retry_after": "until_end"}} if sends_retry_after else {"http_error": 503}
    )
    group = {"users": 1.0, "policy": policy | changes[way], "think": setting.think, "patience": herd.outage + 2 * AFTER}
    phases = course(setting, fault, herd.outage, AFTER + 2 * herd.spread)
    world = staged(setting, {"all": group}, phases, slo=60.0, times=max(1.0, CROWD / setting.users))
    page = (
        {"at": "bad", "state": "investigating", "impact": "major"},
        {"at": "after", "state": "resolved", "impact": "none"},
    )
    return Scenario.model_validate(world.model_dump(exclude={"status_page"}) | {"status_page": page})

"""An outage as a plain event loop of its own: what `explain` simulates, without any of mockbot's engine or clients.

Every answer takes `takes` seconds. A provider is slots and a FIFO queue (tier `first` before all others, whom it drops
from a full one) whose abandoned work continues. Back-off has full jitter, 1 s doubled up to 30 s.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random


@dataclass
class Place:
    """A provider; in the outage a share `fails` of its requests, or it has `left` of its slots."""

    slots: int
    limit: int
    takes: float
    fails: float = 0.0
    left: float = 1.0
    returns: bool = False  # an error says when the outage ends
    first: str = ""
    running: int = 0
    queue: list["Try"] = field(default_factory=list)
    offered: list[float] = field(default_factory=list)
    empty: float = inf  # the first whole second after the outage at which nobody queued


@dataclass
class People:
    """A closed group, or arrivals at `rate` that ask once. `reload`: seconds between reloads; 0: they back off."""

    number: int
    think: float
    patience: float
    reload: float = 0.0
    timeout: float = 30.0
    places: Sequence[int] = (0,)  # in turn, one for each attempt
    tier: str = ""
    rate: float = 0.0
    asked: list[tuple[float, float]] = field(default_factory=list)  # (when, seconds to the answer or inf)


@dataclass
class Try:
    """An attempt of a prompt that was asked at `asked`; `live` until it has ended for its client."""

    who: People
    asked: float
    n: int
    live: bool = True


class Loop:
    """Plays the outage from `begin` to `end`; the groups then have their prompts."""

    def __init__(
        self, places: list[Place], crowd: list[People], begin: float, end: float, last: float, seed: int
    ) -> None:
        self.places, self.begin, self.end, self.rng = places, begin, end, Random(seed)
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.ids = count()
        for who in crowd:
            times = [self.rng.expovariate(1 / who.think) for _ in range(who.number)]
            while who.rate and (not times or times[-1] < last):
                times.append((times[-1] if times else 0.0) + self.rng.expovariate(who.rate))
            for t in times:
                self.at(t, lambda t, who=who: self.send(t, Try(who, t, 0)))  # type: ignore[misc]
        for place in places:
            self.at(end, lambda t, place=place: self.serve(t, place))  # type: ignore[misc]
            for second in range(1, int(last - end)):
                self.at(end + second, lambda t, place=place: self.look(t, place))  # type: ignore[misc]
        while self.events and self.events[0][0] < last:
            t, _, what = heapq.heappop(self.events)
            what(t)

    def at(self, t: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (t, next(self.ids), what))

    def send(self, t: float, one: Try) -> None:
        who, place = one.who, self.places[one.who.places[one.n % len(one.who.places)]]
        place.offered.append(t)
        wrong = self.begin <= t < self.end and self.rng.random() < place.fails
        dropped = next((each for each in reversed(place.queue) if each.who.tier != place.first), None)
        if not wrong and len(place.queue) == place.limit and who.tier == place.first and dropped is not None:
            place.queue.remove(dropped)
            self.fail(t, dropped)
        if wrong or len(place.queue) >= place.limit:
            self.fail(t, one, self.end - t if wrong and place.returns else 0.0)
            return
        ahead = [i for i, each in enumerate(place.queue) if each.who.tier != place.first]
        place.queue.insert(ahead[0] if who.tier == place.first and ahead else len(place.queue), one)
        wait = who.reload * self.rng.uniform(0.9, 1.1) or who.timeout
        self.at(min(t + wait, one.asked + who.patience), lambda t: self.fail(t, one, 0.001))
        self.serve(t, place)

    def serve(self, t: float, place: Place) -> None:
        while place.queue and place.running < place.slots * (place.left if self.begin <= t < self.end else 1.0):
            one, place.running = place.queue.pop(0), place.running + 1
            self.at(t + place.takes, lambda t, one=one: self.finish(t, place, one))  # type: ignore[misc]

    def look(self, t: float, place: Place) -> None:
        if not place.queue:
            place.empty = min(place.empty, t)

    def finish(self, t: float, place: Place, one: Try) -> None:
        place.running -= 1
        if one.live:
            self.settle(t, one, t - one.asked)
        self.serve(t, place)

    def fail(self, t: float, one: Try, least: float = 0.0) -> None:
        if one.live:
            own = self.rng.uniform(0, min(30.0, 2.0**one.n))
            wait = (least or one.who.reload) if one.who.reload else (least if least > 0.001 else own)
            if one.who.rate or t + wait >= one.asked + one.who.patience:
                self.settle(t if one.who.rate else one.asked + one.who.patience, one, inf)
            else:
                one.live = False
                self.at(t + wait, lambda t: self.send(t, Try(one.who, one.asked, one.n + 1)))

    def settle(self, t: float, one: Try, took: float) -> None:
        one.live = False
        one.who.asked.append((one.asked, took))
        if not one.who.rate:
            after = t + self.rng.expovariate(1 / one.who.think)
            self.at(after, lambda t: self.send(t, Try(one.who, t, 0)))

"""Months as a provider has them: parameters fitted to its history in, incidents of any number of days out. Pure.

The model (next_anchors.md §4.3, fitted to 12 months up to 2024-08-31 of the AtLarge collection, arXiv 2501.12469):
first incidents are a Poisson process whose intensity is a month's factor (gamma, mean 1) times a table of weekday and
six-hour block; each incident has Poisson(b) follow-ups after an exponential time, and these have some in turn; lengths
are log-normal, cut at 12 hours. Its parameters were chosen on the same data: it is consistent with that year, and
predicts nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Literal, NamedTuple

Impact = Literal["none", "minor", "major", "critical"]
ProviderName = Literal["openai", "anthropic"]
DAY = 86400.0
BLOCK = 6 * 3600.0  # seconds of a block of the day, from 00 UTC
LONGEST = 12 * 60.0  # minutes
IMPACT_LAG = 15 * 60.0  # seconds from the impact's start to the first post: the median
OF_THE_POSTED = 0.6  # of a page's incident the fault lasts: the ratio of two medians (§4.2, correction c)


@dataclass(frozen=True, slots=True)
class History:
    """A provider's fit: incidents a day by six-hour block, on weekdays and on weekends; lengths in minutes."""

    weekday: tuple[float, float, float, float]
    weekend: tuple[float, float, float, float]
    month_shape: float  # of the gamma distribution of a month's factor
    follow_ups: float  # mean number of an incident
    follow_up_days: float  # mean time until one
    length: tuple[float, float]  # mu and sigma of the logarithm
    impacts: Mapping[Impact, float]
    scopes: Mapping[str, float]  # products hurt, joined by +


HISTORIES: Mapping[ProviderName, History] = MappingProxyType({
    "openai": History(
        weekday=(0.41, 0.32, 0.83, 1.20), weekend=(0.23, 0.0, 0.08, 0.08), month_shape=6,
        follow_ups=0.15, follow_up_days=0.5, length=(4.48, 1.14),
        impacts={"none": 0.17, "minor": 0.44, "major": 0.31, "critical": 0.08},
        scopes={"chat": 0.35, "api": 0.32, "chat+api": 0.18, "chat+api+other": 0.03, "other": 0.12},
    ),
    "anthropic": History(
        weekday=(0.34, 0.18, 0.63, 0.58), weekend=(0.08, 0.0, 0.08, 0.04), month_shape=2,
        follow_ups=0.25, follow_up_days=0.1, length=(3.96, 1.37),
        impacts={"none": 0.26, "minor": 0.36, "major": 0.36, "critical": 0.02},
        scopes={"chat+api+other": 0.46, "api": 0.12, "chat": 0.10, "other": 0.32},
    ),
})  # fmt: skip


class PostedIncident(NamedTuple):
    """As the status page has it: Unix time of its first post, minutes until resolved."""

    at: float
    minutes: float
    impact: Impact
    products: tuple[str, ...]

    @property
    def fault(self) -> tuple[float, float]:
        """Unix times between which requests failed."""
        start = self.at - IMPACT_LAG
        return start, start + OF_THE_POSTED * self.minutes * 60


def incidents(history: History, start: datetime, days: int, rate: float, rng: Random) -> list[PostedIncident]:
    """All incidents of so many days from a midnight in UTC, in the order of time; `rate` times the fitted number."""
    begin = start.replace(tzinfo=UTC).timestamp()
    end = begin + days * DAY
    times: list[float] = []
    for first in _firsts(history, begin, days, rate, rng):
        times += _family(history, first, end, rng)
    return [_incident(history, at, rng) for at in sorted(times)]


def _firsts(history: History, begin: float, days: int, rate: float, rng: Random) -> Iterator[float]:
    """A Poisson process, block by block."""
    factors: dict[tuple[int, int], float] = {}
    for block in range(days * 4):
        at = begin + block * BLOCK
        day = datetime.fromtimestamp(at, UTC)
        month = (day.year, day.month)
        if month not in factors:
            factors[month] = rng.gammavariate(history.month_shape, 1 / history.month_shape)
        table = history.weekend if day.weekday() >= 5 else history.weekday
        mean = table[block % 4] * BLOCK / DAY * factors[month] * rate * (1 - history.follow_ups)
        yield from (at + rng.random() * BLOCK for _ in range(_poisson(mean, rng)))


def _family(history: History, first: float, end: float, rng: Random) -> Iterator[float]:
    waiting = [first]
    while waiting:
        at = waiting.pop()
        if at >= end:
            continue
        yield at
        waiting += [
            at + rng.expovariate(1 / (history.follow_up_days * DAY)) for _ in range(_poisson(history.follow_ups, rng))
        ]


def _incident(history: History, at: float, rng: Random) -> PostedIncident:
    minutes = min(rng.lognormvariate(*history.length), LONGEST)
    impact = rng.choices(list(history.impacts), list(history.impacts.values()))[0]
    scope = rng.choices(list(history.scopes), list(history.scopes.values()))[0]
    return PostedIncident(at, minutes, impact, tuple(scope.split("+")))


def _poisson(mean: float, rng: Random) -> int:
    """By the exponential gaps of its process, which is exact and quick for the small means here."""
    count, passed = 0, rng.expovariate(1.0)
    while passed < mean:
        count, passed = count + 1, passed + rng.expovariate(1.0)
    return count


def month_of(day: datetime) -> tuple[datetime, int]:
    """The first day of its month, and how many days that has."""
    first = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, ((first + timedelta(days=32)).replace(day=1) - first).days


def both_open(first: list[PostedIncident], second: list[PostedIncident]) -> tuple[float, float, float]:
    """Seconds in which the first has an open incident, the second has one, and both have."""
    edges = sorted(
        (moment, provider, change)
        for provider, found in enumerate((first, second))
        for each in found
        for moment, change in ((each.at, 1), (each.at + each.minutes * 60, -1))
    )
    held, spent, last = [0, 0], [0.0, 0.0, 0.0], 0.0
    for moment, provider, change in edges:
        is_open = (held[0] > 0, held[1] > 0, held[0] > 0 and held[1] > 0)
        spent = [seconds + (moment - last) * now for seconds, now in zip(spent, is_open, strict=True)]
        held[provider] += change
        last = moment
    return spent[0], spent[1], spent[2]

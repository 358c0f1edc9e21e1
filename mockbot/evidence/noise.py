"""How much of a measure is chance: one run's journal in, bootstrap replicas of its measures out. Pure.

Users are drawn again with replacement, because one user's prompts hang together (a cluster bootstrap: Davison and
Hinkley 1997, ch. 3.8). Many users are first dealt into BLOCKS groups by a hash of their name, so that the work does not
grow with their number. It is the noise within one run; what another seed would have done is more.

    journal ──► Leaf[phase, group] x block ──► replica: every block so many times ──► measures by scope
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from zlib import crc32

from mockbot.evidence.counters import RecoverySeries, Sample
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Prompt
from mockbot.evidence.recovery import recovery_time
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope import Scope
from mockbot.evidence.sketch import LogBins
from mockbot.measures.values import Beyond, Known

BLOCKS = 50
REPLICAS = 200
NEVER = 1 << 30  # the bin of what was never answered
MEASURES = ("answered", "availability", "attempts_per_prompt", "latency_p50", "latency_p95", "recovery_time")

_BINS = LogBins(0.01)
Replica = Mapping[tuple[Scope, str], float]  # infinite: never; what cannot be said is missing


@dataclass(slots=True)
class _Leaf:
    """Counts of one phase and group in one block, or in a replica."""

    prompts: int = 0
    answered: int = 0
    good: int = 0
    attempts: int = 0
    latency: Counter[int] = field(default_factory=Counter)  # bin -> prompts

    def add(self, other: "_Leaf", times: int) -> None:
        """Another one, so many times."""
        self.prompts += times * other.prompts
        self.answered += times * other.answered
        self.good += times * other.good
        self.attempts += times * other.attempts
        for key, count in other.latency.items():
            self.latency[key] += times * count


_Where = tuple[str, str]  # (phase, group)


@dataclass(slots=True)
class Block:
    """What some of the users did."""

    leaves: dict[_Where, _Leaf] = field(default_factory=lambda: defaultdict(_Leaf))
    recoveries: dict[str, RecoverySeries] = field(default_factory=lambda: defaultdict(RecoverySeries))  # by group


def replicas(blocks: Sequence[Block], counters: RunCounters, rng: Random, count: int = REPLICAS) -> Iterator[Replica]:
    """Measures of `count` runs that might as well have been."""
    for _ in range(count):
        drawn = Counter(rng.choices(range(len(blocks)), k=len(blocks))) if blocks else Counter[int]()
        yield dict(_measured([(blocks[index], times) for index, times in sorted(drawn.items())], counters))


def blocks_of(evidence: RunEvidence, counters: RunCounters) -> tuple[Block, ...]:
    """The run's users in blocks; BLOCKS at most."""
    blocks: dict[int, Block] = defaultdict(Block)
    for line in evidence.requests():
        if not isinstance(line, Prompt) or (index := counters.phase(line.intended)) is None:
            continue
        block = blocks[crc32(line.user.encode()) % BLOCKS]
        sample = _sample(line, evidence.scenario.slo)
        _count(block.leaves[evidence.timeline.phases[index].name, line.group], sample, line.attempts)
        block.recoveries[line.group].add(sample, counters.disturbance)
    return tuple(block for _, block in sorted(blocks.items()))


def _sample(prompt: Prompt, slo: float) -> Sample:
    took, answered = prompt.end - prompt.intended, prompt.settled == "answered"
    over = prompt.settled != "unfinished"
    return Sample(prompt.id, prompt.intended, took, answered, answered and took <= slo, over, prompt.first_token)


def _count(leaf: _Leaf, sample: Sample, attempts: int) -> None:
    leaf.prompts += 1
    leaf.answered += sample.answered
    leaf.good += sample.good
    leaf.attempts += attempts
    leaf.latency[_BINS.key(max(sample.took, 1e-6)) if sample.answered else NEVER] += 1


def _measured(drawn: Sequence[tuple[Block, int]], counters: RunCounters) -> Iterator[tuple[tuple[Scope, str], float]]:
    leaves: dict[_Where, _Leaf] = defaultdict(_Leaf)
    for block, times in drawn:
        for where, leaf in block.leaves.items():
            leaves[where].add(leaf, times)
    for scope, leaf in _by_scope(leaves).items():
        yield from (((scope, name), value) for name, value in _values(leaf))
    for scope, series in _courses(drawn).items():
        value = recovery_time(series, counters)
        if isinstance(value, Known | Beyond):
            yield (scope, "recovery_time"), value.number if isinstance(value, Known) else math.inf


def _by_scope(leaves: Mapping[_Where, _Leaf]) -> dict[Scope, _Leaf]:
    """The whole run, each phase, each group, and each group in each phase."""
    scopes: dict[Scope, _Leaf] = defaultdict(_Leaf)
    for (phase, group), leaf in leaves.items():
        for scope in (Scope(), Scope(phase=phase), Scope(group=group), Scope(phase=phase, group=group)):
            scopes[scope].add(leaf, 1)
    return scopes


def _courses(drawn: Sequence[tuple[Block, int]]) -> dict[Scope, RecoverySeries]:
    """As far as the recovery time needs them."""
    scopes: dict[Scope, RecoverySeries] = defaultdict(RecoverySeries)
    for block, times in drawn:
        for group, series in block.recoveries.items():
            _add(scopes[Scope(group=group)], series, times)
    whole = RecoverySeries()
    for series in scopes.values():
        _add(whole, series, 1)
    return {Scope(): whole, **scopes}


def _add(series: RecoverySeries, other: RecoverySeries, times: int) -> None:
    series.calm_issued += times * other.calm_issued
    series.calm_good += times * other.calm_good
    for mine, others in ((series.issued, other.issued), (series.good, other.good)):
        for second, count in others.items():
            mine[second] += times * count


def _values(leaf: _Leaf) -> Iterator[tuple[str, float]]:
    if not leaf.prompts:
        return
    yield "answered", leaf.answered / leaf.prompts
    yield "availability", leaf.good / leaf.prompts
    yield "attempts_per_prompt", leaf.attempts / leaf.prompts
    yield from (("latency_p50", _quantile(leaf, 0.5)), ("latency_p95", _quantile(leaf, 0.95)))


def _quantile(leaf: _Leaf, q: float) -> float:
    rank, seen = math.ceil(round(q * leaf.prompts, 9)), 0
    for key in sorted(leaf.latency):
        seen += leaf.latency[key]
        if seen >= rank:
            return math.inf if key == NEVER else _BINS.value(key)
    return math.inf

"""One run's journal in, bootstrap replicas of its measures out: how much of a measure is chance. Pure.

Users are drawn again with replacement, because the prompts of one user depend on each other (a cluster bootstrap:
Davison and Hinkley 1997, ch. 3.8). Users are first put into BLOCKS groups by a hash of their name, so that the work
does not grow with their number. This is the noise within one run; the difference between seeds is larger.

    journal ──► Leaf[phase, group] x block ──► replica: each block so many times ──► measures by scope
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from zlib import crc32

from mockbot.evidence.counters import RecoverySeries, Sample, prompt_sample
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Prompt
from mockbot.evidence.recovery import recovery_time
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope import Scope
from mockbot.evidence.sketch import LogBins
from mockbot.measures.values import Beyond, Known

BLOCKS = 50
REPLICAS = 200
NEVER = 1 << 30  # the bin of prompts that were never answered, above all others
MEASURES = ("answered", "availability", "attempts_per_prompt", "latency_p50", "latency_p95", "recovery_time")

_BINS = LogBins(0.01)
Replica = Mapping[tuple[Scope, str], float]  # infinite: never; without the measures that are undefined


@dataclass(slots=True)
class _Leaf:
    """Counts of one phase and group, or of a scope, in one block or in a replica."""

    prompts: int = 0
    answered: int = 0
    good: int = 0
    attempts: int = 0
    latency: Counter[int] = field(default_factory=Counter)  # bin -> prompts

    def count(self, sample: Sample, attempts: int) -> None:
        """Add one prompt."""
        self.prompts += 1
        self.answered += sample.answered
        self.good += sample.good
        self.attempts += attempts
        self.latency[_BINS.key(max(sample.took, 1e-6)) if sample.answered else NEVER] += 1

    def add(self, other: "_Leaf", times: int) -> None:
        """Add another leaf `times` times."""
        self.prompts += times * other.prompts
        self.answered += times * other.answered
        self.good += times * other.good
        self.attempts += times * other.attempts
        for key, count in other.latency.items():
            self.latency[key] += times * count

    def measures(self) -> dict[str, float]:
        """The MEASURES that need no RecoverySeries; there must be prompts."""
        return {
            "answered": self.answered / self.prompts,
            "availability": self.good / self.prompts,
            "attempts_per_prompt": self.attempts / self.prompts,
            "latency_p50": self.quantile(0.5),
            "latency_p95": self.quantile(0.95),
        }

    def quantile(self, q: float) -> float:
        """The latency that a share `q` of the prompts does not exceed."""
        rank = math.ceil(round(q * self.prompts, 9))
        for key in sorted(self.latency):
            rank -= self.latency[key]
            if rank <= 0:
                return math.inf if key == NEVER else _BINS.value(key)
        return math.inf


@dataclass(slots=True)
class Block:
    """The counts of some of the users."""

    leaves: dict[tuple[str, str], _Leaf] = field(default_factory=lambda: defaultdict(_Leaf))  # by (phase, group)
    recoveries: dict[str, RecoverySeries] = field(default_factory=lambda: defaultdict(RecoverySeries))  # by group


def blocks_of(evidence: RunEvidence, counters: RunCounters) -> tuple[Block, ...]:
    """The run's users in blocks; BLOCKS at most."""
    blocks: dict[int, Block] = defaultdict(Block)
    for line in evidence.requests():
        if not isinstance(line, Prompt) or (index := counters.phase(line.intended)) is None:
            continue
        block = blocks[crc32(line.user.encode()) % BLOCKS]
        sample = prompt_sample(line, evidence.scenario.slo)
        block.leaves[evidence.timeline.phases[index].name, line.group].count(sample, line.attempts)
        block.recoveries[line.group].add(sample, counters.disturbance)
    return tuple(block for _, block in sorted(blocks.items()))


def replicas(blocks: Sequence[Block], counters: RunCounters, rng: Random, count: int = REPLICAS) -> Iterator[Replica]:
    """Measures of `count` runs whose blocks are drawn from this run's."""
    for _ in range(count):
        drawn = Counter(rng.choices(range(len(blocks)), k=len(blocks))) if blocks else Counter[int]()
        yield _replica([(blocks[index], times) for index, times in sorted(drawn.items())], counters)


def _replica(drawn: Sequence[tuple[Block, int]], counters: RunCounters) -> Replica:
    leaves: dict[tuple[str, str], _Leaf] = defaultdict(_Leaf)
    recoveries: dict[str, RecoverySeries] = defaultdict(RecoverySeries)
    for block, times in drawn:
        for where, leaf in block.leaves.items():
            leaves[where].add(leaf, times)
        for group, series in block.recoveries.items():
            _add(recoveries[group], series, times)
    scopes: dict[Scope, _Leaf] = defaultdict(_Leaf)
    for (phase, group), leaf in leaves.items():
        for scope in (Scope(), Scope(phase=phase), Scope(group=group), Scope(phase=phase, group=group)):
            scopes[scope].add(leaf, 1)
    result = {(scope, name): x for scope, leaf in scopes.items() if leaf.prompts for name, x in leaf.measures().items()}
    whole = RecoverySeries()
    for series in recoveries.values():
        _add(whole, series, 1)
    for scope, series in ((Scope(), whole), *((Scope(group=group), each) for group, each in recoveries.items())):
        value = recovery_time(series, counters)
        if isinstance(value, Known | Beyond):
            result[scope, "recovery_time"] = value.number if isinstance(value, Known) else math.inf
    return result


def _add(series: RecoverySeries, other: RecoverySeries, times: int) -> None:
    """Add the counts that the recovery time depends on."""
    series.calm_issued += times * other.calm_issued
    series.calm_good += times * other.calm_good
    for own, others in ((series.issued, other.issued), (series.good, other.good)):
        for second, count in others.items():
            own[second] += times * count

"""One run's journal in, bootstrap replicas of its measures out: how much of a measure is chance. Pure.

Users are drawn again with replacement, because the prompts of one user depend on each other (a cluster bootstrap:
Davison and Hinkley 1997, ch. 3.8). Users are first put into BLOCKS groups by a hash of their name, so that the work
does not grow with their number. This is the noise within one run; the difference between seeds is larger.

    journal ──► counters of each block ──► replica: each block so many times ──► the formulas of the table, by scope
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from random import Random
from zlib import crc32

from mockbot.evidence.counters import Cohort, Course, Key, prompt_sample
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Prompt
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.scope_counters import counters_of
from mockbot.measures.scope import Scope
from mockbot.measures.table import shown
from mockbot.measures.values import Known, Undefined

BLOCKS = 50
REPLICAS = 200

Replica = Mapping[tuple[Scope, str], float]  # infinite: never; without the measures that are undefined


@dataclass(slots=True)
class Block:
    """The counters of some of the users, by the keys of `RunCounters`."""

    cohorts: dict[Key, Cohort] = field(default_factory=lambda: defaultdict(Cohort))
    courses: dict[Key, Course] = field(default_factory=lambda: defaultdict(Course))


def blocks_of(evidence: RunEvidence, run: RunCounters) -> tuple[Block, ...]:
    """The run's users in blocks; BLOCKS at most."""
    blocks: dict[int, Block] = defaultdict(Block)
    for line in evidence.requests():
        if not isinstance(line, Prompt) or (index := run.phase(line.intended)) is None:
            continue
        block = blocks[crc32(line.user.encode()) % BLOCKS]
        sample, key = prompt_sample(line, evidence.scenario.slo), Key(index, line.group, line.tier)
        block.cohorts[key].add(sample, run.satisfied_within)
        block.cohorts[key].attempts += line.attempts
        block.courses[key._replace(phase=-1)].add(sample, run.outages.by_group.get(line.group, ()))
    return tuple(block for _, block in sorted(blocks.items()))


def replicas(
    blocks: Sequence[Block], run: RunCounters, scopes: Collection[Scope], rng: Random, count: int = REPLICAS
) -> Iterator[Replica]:
    """Measures of `count` runs whose blocks are drawn from this run's."""
    for _ in range(count):
        drawn = Counter(rng.choices(range(len(blocks)), k=len(blocks))) if blocks else Counter[int]()
        again = copy(run)
        again.cohorts, again.courses = defaultdict(Cohort), defaultdict(Course)
        for index, times in sorted(drawn.items()):
            for key, cohort in blocks[index].cohorts.items():
                again.cohorts[key].merge(cohort, times)
            for key, course in blocks[index].courses.items():
                again.courses[key].merge(course, times)
        yield dict(_numbers(again, scopes))


def _numbers(run: RunCounters, scopes: Collection[Scope]) -> Iterator[tuple[tuple[Scope, str], float]]:
    for scope in scopes:
        counted = counters_of(run, scope)
        for measure in shown("compare"):
            value = measure.value(counted)
            if not isinstance(value, Undefined):
                yield (scope, measure.name), value.number if isinstance(value, Known) else math.inf

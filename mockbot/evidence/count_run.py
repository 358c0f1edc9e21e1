"""A run's journals in, its counters out: one pass, in which also the integrity of the records is checked. Pure."""

from collections.abc import Iterator
from itertools import chain
from typing import assert_never

from mockbot.evidence.exposure import exposed, turned_away
from mockbot.evidence.integrity import Integrity
from mockbot.evidence.journal import Broken, RunEvidence
from mockbot.evidence.records import Attempt, Prompt, ServiceSecond
from mockbot.evidence.run_counters import RunCounters
from mockbot.evidence.system_join import join


def count_run(evidence: RunEvidence) -> RunCounters:
    """Count all records of a run, in one pass over each journal."""
    result, integrity, through_system = RunCounters(evidence), Integrity(), bool(evidence.info.system)
    prompts, attempts = list[Prompt](), list[Attempt]()
    lines: Iterator[Attempt | Prompt | ServiceSecond | Broken] = chain(
        evidence.requests(), evidence.seconds(), evidence.broken
    )
    for line in lines:
        match line:
            case Attempt():
                integrity.add(line)
                result.add_attempt(line)
                if through_system:
                    attempts.append(line)
            case Prompt():
                integrity.add(line)
                result.add_prompt(line)
                if through_system:
                    prompts.append(line)
            case ServiceSecond():
                integrity.add(line)
                if line.provider in evidence.scenario.providers:  # another one's is foreign, as `integrity` says
                    result.add_second(line)
            case Broken():
                result.add_broken(line)
            case _:
                assert_never(line)
    result.tampered = integrity.problem(evidence)
    if through_system:
        result.joined = join(prompts, attempts, evidence.answers, evidence.upstream)
    result.felt.update(exposed(evidence))
    # The greater of both counts, since the service of a crashed provider counts some of the resets itself.
    result.felt |= turned_away(evidence, result.turned_away)
    result.observed_until = min(evidence.info.end or result.observed_until, evidence.timeline.end)
    return result

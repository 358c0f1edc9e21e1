"""A prompt that was not answered in, the time at which its user complains about it out. Pure.

The draw is made from the run's seed and the prompt's id and not while the run goes on: every engine has the same law,
and a run that is judged again has the same complaints.
"""

from random import Random

from mockbot.evidence.records import Prompt
from mockbot.scenario.parts import Complaints


def complaint(prompt: Prompt, complaints: Complaints, seed: int) -> float | None:
    """Scenario seconds; None when this user says nothing. A share complains, each after an exponential time."""
    rng = Random(f"complaint {seed} {prompt.id}")
    return prompt.end + rng.expovariate(1 / complaints.after) if rng.random() < complaints.share else None

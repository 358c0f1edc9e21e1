"""What became of a prompt, as an objective counts it: the same for Prometheus during a run and after it. Pure."""

from typing import Literal

from mockbot.evidence.records import Prompt

# good: answered within the slo, from when it was due; late: answered after it; unfinished: the run ended before it.
Result = Literal["good", "late", "gave_up", "unfinished"]
RESULTS: tuple[Result, ...] = ("good", "late", "gave_up", "unfinished")
PROMPTS = "mockbot_crowd_prompts"  # the metric, with the labels group, tier and result


def result_of(prompt: Prompt, slo: float) -> Result:
    """`slo`: seconds within which a prompt should be answered."""
    if prompt.settled != "answered":
        return prompt.settled
    return "late" if prompt.end - prompt.intended > slo else "good"

"""Answers in, `explain.html` out: one file that works without a network, in the look of the report."""

from collections.abc import Mapping, Sequence

from mockbot.report.html import render
from mockbot.scenario.schema import Scenario
from mockbot.simulate.explain.answer import Answer


def page(scenario: Scenario, answers: Sequence[Answer], whole: Mapping[str, object]) -> str:
    """The same bytes for the same answers."""
    return render(
        "explain.html.j2",
        [],
        title=scenario.title,
        name=scenario.name,
        teaches=scenario.teaches,
        answers=answers,
        whole=whole,
    )

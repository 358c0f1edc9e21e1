"""A judgement in, the first screen of its report out: five questions with their answers in sentences. Pure."""

from dataclasses import dataclass

from mockbot.evidence.judgement import Judgement
from mockbot.report.executive_summary import executive_summary
from mockbot.units.formatting import format_counted

MOST = 2  # sentences of what made it worse, and of remedies; more would need scrolling on a laptop


@dataclass(frozen=True, slots=True)
class Answer:
    """`question` is the heading, `sentences` the answer; `more` names what the rest of the page has beyond it."""

    question: str
    sentences: tuple[str, ...]
    more: str = ""


def first_screen(summary: Judgement) -> tuple[Answer, ...]:
    """What happened, who suffered how long, what made it worse and what to change; the verdict stands above them."""
    story = executive_summary(summary)
    findings = list(dict.fromkeys(f"{each.group} {each.did}." for each in summary.findings))
    remedies = list(dict.fromkeys(f"{each.remedy}." for each in summary.findings))
    hidden = len(findings) - MOST
    return (
        Answer("What happened", story[1:2] or story),
        Answer("Who suffered, how long", (*story[:1], *story[2:]) if story[1:] else ("Nobody: there was nobody.",)),
        Answer(
            "What made it worse",
            tuple(findings[:MOST]) or ("Nothing that the clients did.",),
            f"and {format_counted(hidden, 'finding')} more, with evidence" if hidden > 0 else "",
        ),
        Answer("What to change", tuple(remedies[:MOST]) or _by_expectations(summary)),
    )


def _by_expectations(summary: Judgement) -> tuple[str, ...]:
    """Without a finding: where to look for what missed its expectation."""
    if summary.verdict == "inconclusive":
        return ("What keeps this run from a verdict: the reasons are above.",)
    failed = [case for case in summary.expectations if case.result == "fail"]
    where = [f"For {case.measure} ({case.scope}): {case.hint}." for case in failed[:MOST]]
    return (
        ("No finding says what; look at those that missed.", *where)
        if where
        else ("Nothing: the clients did what they should, and met what was expected.",)
    )

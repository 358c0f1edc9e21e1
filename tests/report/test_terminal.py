"""The end of a run on a terminal."""

import io
from math import inf
from typing import Any

import pytest
from rich.console import Console

from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.verdict import judge
from mockbot.measures.values import Known
from mockbot.report.terminal import print_summary
from tests.evidence.build import FELT, evidence, prompt, scenario, sound_run


def told(run: RunEvidence, width: int = 80, **console: Any) -> str:
    output = io.StringIO()
    print_summary(Console(file=output, width=width, **console), judge(run))
    return output.getvalue()


FAILING = scenario(expect=[{"phase": "blackout", "availability": ">= 50%", "latency_p95": "<= 9s"}])
BOTH_GROUPS = [*sound_run(), *(prompt(n + 0.25, group="hasty", name=f"h{n}") for n in range(400))]
PENDING = prompt(399.0, 1.0, "unfinished", name="young")


def test_it_shows_phases_groups_expectations_and_the_verdict() -> None:
    """A row for each phase and each of its groups, each expectation with its mark, the verdict with its reasons."""
    text = told(evidence([*BOTH_GROUPS, PENDING], FELT, of=FAILING))

    lines = text.splitlines()
    assert next(line.split() for line in lines if line.startswith("steady")) == [
        *("steady", "all", "300", "100%", "100%", "1.00", "998ms", "998ms"),
    ]
    assert sum(line.split()[:1] == ["hasty"] for line in lines) == 4
    assert "FAILED  availability >= 50% (phase blackout): 33.33%" in [line.strip() for line in lines]
    assert "pending at the end: 1 prompt: young (patient, 6:39)" in lines
    assert "verdict: fail" in lines
    assert any(line.startswith("down for 1m40s, first failure seen after ") for line in lines)


def test_what_never_came_is_not_said_to_have_come_after_a_time() -> None:
    """ "recovered: never", where others read "recovered after 3s"."""
    judged = judge(evidence(sound_run(), FELT))
    values = {**judged.measures[0].values, "recovery_time": Known(inf)}
    output = io.StringIO()

    row = judged.measures[0].model_copy(update={"values": values})
    print_summary(Console(file=output), judged.model_copy(update={"measures": (row,)}))

    assert " recovered: never, " in " ".join(output.getvalue().split())


def test_what_the_testbed_adds_is_told_once_below_the_table() -> None:
    lines = told(evidence(sound_run(), FELT, added_latency=0.01), 120).splitlines()

    assert lines.count("added by the testbed: 0.01 s of wall time = 10ms here") == 1


@pytest.mark.parametrize("width", [80, 60])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Long reasons are wrapped, and the table is never cut."""
    text = told(evidence([*BOTH_GROUPS, PENDING], FELT, of=FAILING, ended="failed", why="because " * 30), width)

    assert max(map(len, text.splitlines())) <= width


def test_a_scenario_cannot_write_markup_to_the_console() -> None:
    """A reason that looks like markup is shown as it is."""
    text = told(evidence(sound_run(), FELT, ended="failed", why="[bold]lost[/nothing]"))

    assert "[bold]lost[/nothing]" in text


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """https://no-color.org: no colour codes on a terminal that could show them."""
    monkeypatch.setenv("NO_COLOR", "1")

    text = told(evidence(sound_run(), FELT), force_terminal=True)

    assert not any(f"\x1b[{code}" in text for code in ("31m", "32m", "33m", "1;31m", "1;32m", "1;33m"))
    assert "verdict" in text


def test_one_group_needs_no_rows_of_its_own() -> None:
    """The table says everything once."""
    alone = scenario(crowd={"patient": {"users": "100%", "policy": "backoff"}})

    table = told(evidence(sound_run(), FELT, of=alone)).split("\n\n")[1]

    assert "whole run" in table
    assert "patient" not in table

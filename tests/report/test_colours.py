"""Colours: the same thing looks the same in every chart, and different things differ for every kind of eyes."""

from itertools import combinations
from typing import Any

import pytest

from mockbot.evidence.records import OUTCOMES, Attempt, Prompt
from mockbot.evidence.verdict import judge_run
from mockbot.report.charts import charts
from mockbot.report.colours import GROUPS, OUTCOME, PROVIDERS, RUNS, group_colours
from mockbot.report.overlays import overlays
from tests.evidence.build import FELT, attempt, evidence, scenario, sound_run, steady

# What is left of linear RGB (Machado, Oliveira, Fernandes, IEEE TVCG 2009, table 1, severity 1.0)
EYES = {
    "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
}
SEEN = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))  # linear sRGB to XYZ
WHITE = (0.9505, 1.0, 1.089)
NOTICED = 8.0  # CIE 1976: 2.3 is just noticeable side by side


def lab(colour: str, eyes: str) -> tuple[float, float, float]:
    """CIE L*a*b* of what these eyes see of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    left = [max(0.0, sum(map(float.__mul__, row, linear))) for row in EYES[eyes]]
    x, y, z = (_cube(sum(map(float.__mul__, row, left)) / white) for row, white in zip(SEEN, WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube(t: float) -> float:
    return float(t ** (1 / 3)) if t > 0.008856 else 7.787 * t + 16 / 116


def apart(first: str, second: str, eyes: str) -> float:
    pairs = zip(lab(first, eyes), lab(second, eyes), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(
    "palette", [GROUPS, PROVIDERS, RUNS, tuple(OUTCOME.values())], ids=["groups", "providers", "runs", "outcomes"]
)
def test_no_two_colours_of_a_palette_look_alike(palette: tuple[str, ...], eyes: str) -> None:
    """Nor do they to the colour-blind."""
    alike = [pair for pair in combinations(palette, 2) if apart(*pair, eyes) < NOTICED]

    assert alike == []


def test_the_measure_of_it_knows_what_the_colour_blind_confuse() -> None:
    """A red and a green of the same lightness are far apart, but not without one kind of cones."""
    red, green = "#C03A2B", "#6B7300"

    assert apart(red, green, "all cones") > 2 * apart(red, green, "deuteranopia")


def drawn(**crowd: Any) -> dict[str, dict[str, str]]:
    """Chart -> trace -> colour."""
    requests: list[Prompt | Attempt] = [*sound_run(), *steady(0, 400, group="hasty"), attempt(10.0)]
    run = evidence(requests, FELT, of=scenario(**crowd))
    judged = judge_run(run)
    return {
        chart.id: {trace["name"]: trace["line"]["color"] for trace in chart.figure["data"] if "line" in trace}  # type: ignore[attr-defined]
        for chart in charts(judged)
    }


def test_a_group_has_one_colour_in_every_chart() -> None:
    """In the order of the scenario, whoever asks first."""
    seen = drawn()

    assert seen["good"] == seen["users"] == dict(group_colours(scenario()))


def test_an_outcome_has_its_own_colour() -> None:
    """One for each, and none that a group or a provider has."""
    assert set(OUTCOME) == set(OUTCOMES)
    assert set(OUTCOME.values()).isdisjoint({*GROUPS, *PROVIDERS})
    assert drawn()["outcomes"] == {"ok": OUTCOME["ok"]}


def test_a_run_has_one_colour_in_every_chart_of_a_comparison() -> None:
    """The first one's and the second one's."""
    run = evidence(sound_run(), FELT)
    judged = judge_run(run)

    pages = overlays((judged, judged), ("a", "b"))

    traces = [trace for chart in pages for trace in chart.figure["data"]]  # type: ignore[attr-defined]
    assert {(trace["name"], trace["line"]["color"]) for trace in traces} == {("a", RUNS[0]), ("b", RUNS[1])}

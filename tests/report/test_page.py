"""report.html without a browser: what is in it, and what never gets into it."""

import json
import re
from html import unescape
from typing import Any

import pytest

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.records import Action
from mockbot.evidence.verdict import judge_run
from mockbot.measures.text import format_value
from mockbot.report.charts import charts
from mockbot.report.page import NO_CHARTS, report_html
from mockbot.scenario.schema import Scenario
from tests.evidence.build import CALM, FELT, actions, attempt, evidence, prompt, scenario, sound_run

BOTH = [*sound_run(), *(prompt(n + 0.25, group="hasty", name=f"h{n}", first_token=0.2) for n in range(400))]


def page(*more: Any, **how: Any) -> tuple[str, Judgement]:
    run = evidence([*BOTH, *more], how.pop("seconds", FELT), **how)
    judged = judge_run(run)
    return report_html(judged), judged.judgement


def script(html: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_every_number_in_the_tables_is_the_summarys() -> None:
    """Each cell names its scope and its measure; it shows what summary.json has, in words."""
    html, summary = page()

    cells = re.findall(r'data-scope="([^"]*)" data-measure="([^"]*)">([^<]*)<', html)
    rows = {str(row.scope): row.values for row in summary.measures}
    assert len(cells) > 100
    assert [cell for cell in cells if unescape(cell[2]) != format_value(cell[1], rows[cell[0]][cell[1]])] == []


def test_the_page_carries_its_summary() -> None:
    """What a machine wants from the page is what it gets from the file."""
    html, summary = page()

    assert script(html, "summary") == summary.data()


def test_it_is_the_same_to_the_byte() -> None:
    """Judging an old run again gives the same page."""
    assert page()[0] == page()[0]


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def evil_scenario() -> Scenario:
    fault = {"http_error": {"status": 503, "code": EVIL}}
    return scenario(
        title=EVIL,
        phases=[CALM, {"name": "blackout", "lasts": "100s", "faults": [fault]}, {"name": "after", "lasts": "200s"}],
        status_page=[{"at": "blackout", "state": "investigating", "says": EVIL}],
        retells={"incident": EVIL, "source": EVIL, "assumed": [EVIL]},
    )


def test_nothing_from_outside_is_markup() -> None:
    """A scenario's title, a server's error, a prompt's id, a version, a command: shown, and never run."""
    html, _ = page(
        prompt(150.0, 250.0, "unfinished", name=EVIL),
        attempt(151.0, of=EVIL),
        of=evil_scenario(),
        did=(*actions(), Action("status_page", "change", 1.0, 1.0, None, EVIL)),
        command=EVIL,
        why=EVIL,
        ended="failed",
        versions={EVIL: EVIL},
    )

    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("<script") == 4
    assert "&lt;script&gt;alert(1)" in html


def test_plotly_gets_no_markup_either() -> None:
    """It reads a little HTML in its texts."""
    run = evidence(BOTH, FELT, of=evil_scenario())
    judged = judge_run(run)

    drawn = charts(judged)

    texts = json.dumps([chart.figure for chart in drawn])
    assert "&lt;script" in texts
    assert "<script" not in texts


def test_the_page_names_no_other_host() -> None:
    """Nothing in it can be loaded, and its own policy forbids it."""
    html, _ = page()

    outside = re.sub(r'<script type="text/plain" id="plotly">.*?</script>', "", html, flags=re.DOTALL)
    assert re.findall(r"(?:src|href|action|url)\s*[=(]", outside) == []
    assert "default-src 'none'" in html


def test_charts_show_what_was_counted() -> None:
    """The requests' chart adds up to all attempts; the shading is the fault as it was measured."""
    run = evidence([*BOTH, *(attempt(float(n)) for n in range(50))], FELT, did=actions(begin=101.0, end=203.0))
    judged = judge_run(run)

    drawn: dict[str, Any] = {chart.id: chart.figure for chart in charts(judged)}

    (ok,) = drawn["outcomes"]["data"]
    assert sum(ok["y"]) * ok["dx"] / 1000 == 50
    shades = [(shape["x0"], shape["x1"]) for shape in drawn["good"]["layout"]["shapes"] if shape["type"] == "rect"]
    assert shades == [(101_000, 203_000)]
    (bar,) = drawn["wrong"]["data"]
    # Not a number: below 10000 Plotly takes it for a year.
    assert (bar["base"], bar["x"]) == (["1970-01-01 00:01:41.000000"], [102_000])


def test_a_window_in_which_nobody_was_answered_is_marked_and_not_left_out() -> None:
    """The percentiles of the blackout are infinite: crosses, not gaps."""
    run = evidence(sound_run(), FELT)
    judged = judge_run(run)

    drawn: dict[str, Any] = {chart.id: chart.figure for chart in charts(judged)}

    never = {trace["name"]: trace["x"] for trace in drawn["latency"]["data"] if trace["mode"] == "markers"}
    assert set(never) == {"answer, p50: never", "answer, p95: never"}
    assert all("1970-01-01 00:01:40" <= at < "1970-01-01 00:03:20" for at in never["answer, p50: never"])


@pytest.mark.parametrize("how", [{"ended": "failed", "t0": None}, {"seconds": ()}, {"kept_up": ()}])
def test_a_run_of_which_little_is_left_has_a_page_too(how: dict[str, Any]) -> None:
    """What is missing is said, and nothing breaks."""
    html, summary = page(**how)

    assert f'<b id="verdict">{summary.verdict}</b>' in html


def test_a_run_without_any_request_has_a_page() -> None:
    """No data is a result."""
    run = evidence([])
    judged = judge_run(run)

    assert "No prompt was issued" in report_html(judged)


def test_without_plotly_the_page_has_all_but_the_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tables and the same data; in the charts' place, how to get them. Nothing is scripted."""
    whole = page()[0]
    monkeypatch.setattr("mockbot.report.page.plotly_bundle", lambda: None)

    html = page()[0]

    cells = r'data-scope="([^"]*)" data-measure="([^"]*)">([^<]*)<'
    assert re.findall(cells, html) == re.findall(cells, whole)
    assert script(html, "summary") == script(whole, "summary")
    assert NO_CHARTS[1:] in unescape(html)
    assert NO_CHARTS[1:] not in unescape(whole)
    assert "<script>" not in html
    assert 'class="chart"' not in html

"""A fault of the service that was added as one module and one entry, in files, reports, simulated and live runs."""

from pathlib import Path

import pytest

from mockbot.errors import ScenarioError
from mockbot.faults import KINDS
from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.report.phrases import fault_text
from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.load import load_scenario
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.fast.refusals import refusals
from tests.pytest_plugin.conftest import Ask
from tests.scenario.build import FILE
from tests.simulate.build import live_through, scenario


def test_in_a_file(tmp_path: Path) -> None:
    """It is read, checked, suggested, described by the schema and told in reports."""
    file = tmp_path / "small.yaml"
    file.write_text(FILE.replace("http_error: 503", "teapot: 7s, share: 50%"), "utf-8")
    (span,) = Timeline(load_scenario(file)).faults
    file.write_text(FILE.replace("http_error: 503", "teapott: 7s"), "utf-8")
    with pytest.raises(ScenarioError, match="'teapott' is not a fault; did you mean 'teapot'"):
        load_scenario(file)

    assert (span.id, fault_text(span)) == ("during.0.teapot", "teapot 7s on main, 50%")
    assert KINDS["teapot"].plain.format("main") == "main was a teapot"
    assert '"cools_in"' in schema_json()


def test_simulated() -> None:
    """The simulated clients read its status; the service counts them; the fast engine can play it."""
    lived = live_through(scenario([{"teapot": "7s"}]))

    assert {attempt.status for attempt in lived.during(100, 199)} == {418}
    assert sum(second.felt.get("bad.0.teapot", 0) for second in lived.seconds) == len(lived.during(100, 200))
    assert refusals(scenario([{"teapot": "7s"}])) == []


def test_by_hand(mockbot: Mockbot, ask: Ask) -> None:
    """The service answers with it over a socket, and counts it."""
    with mockbot.fault(teapot=7) as fault:
        answer = ask()

    assert (answer.status_code, answer.headers["retry-after"], fault.hits) == (418, "7", 1)


def test_live(mockbot: Mockbot, ask: Ask) -> None:
    """The driver begins and ends it on time, and the judgement counts who felt it."""
    with mockbot.outage(scenario([{"teapot": "7s"}], speed=100)) as outage:
        outage.wait_for("bad")
        during = ask().status_code
        outage.wait_for("after")
        after = ask().status_code

    assert (during, after) == (418, 200)
    assert {fault.id: fault.felt for fault in outage.judgement().faults} == {"bad.0.teapot": 1}

"""The three causes of the news story, staged and judged as the README promises."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.conftest import Run

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", ["traffic-surge", "maintenance-window", "unexpected-failure"])
@pytest.mark.timeout(180)
def test_a_bundled_scenario_passes(lived_through: Callable[[str], Run], name: str) -> None:
    """On a machine that keeps up, each ends with pass, and leaves everything that the design lists."""
    run = lived_through(name)

    code = run.process.wait(0)

    assert code == 0, run.output()
    left = {path.name for path in run.folder.iterdir()}
    assert left >= {
        "scenario.yaml",
        "journal.jsonl",
        "service.jsonl",
        "actions.jsonl",
        "summary.json",
        "junit.xml",
        "logs",
    }
    assert run.summary()["verdict"] == "pass"
    assert ET.parse(run.folder / "junit.xml").getroot().tag == "testsuites"  # noqa: S314 - our own file

"""Every number of an imported scenario is the source's, or stands under `retells.assumed`."""

import re

import pytest

from mockbot.incidents.draft import draft_text
from mockbot.incidents.incident_draft import incident_draft
from mockbot.incidents.staging import stage
from mockbot.scenario.load import read_scenario
from tests.incidents.test_readings import FILES, READINGS, only

NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.mark.parametrize("name", READINGS)
def test_a_fault_has_no_number_of_its_own(name: str) -> None:
    """Shares, factors and statuses: each is in a text of the file, a share of the file, or among the assumptions."""
    draft = incident_draft(stage(only(name), READINGS[name].known), "imported", None if fits(name) else 3600.0)
    file = (FILES / name).read_bytes().replace(b"\0", b"").decode("utf-8", "replace")
    said = {float(number) for text in (*draft.assumed, file) for number in NUMBER.findall(text)}
    said |= {100 * number for number in said}  # a share of 0.8 is 80%

    used = {float(number) for phase in draft.phases for fault in phase.faults for number in NUMBER.findall(fault)}

    assert used <= said, used - said


@pytest.mark.parametrize("name", READINGS)
def test_every_time_has_its_source_beside_it(name: str) -> None:
    """Each phase but the two around the incident, and each post, has a comment with a date."""
    text = draft_text(incident_draft(stage(only(name), READINGS[name].known), "imported", 3600.0))
    lines = text.splitlines()
    begins = [n for n, line in enumerate(lines) if line.startswith(("  - name:", "  - {at:"))]

    assert begins
    for n in begins:
        assert lines[n] == "  - name: before" or re.match(r"  # \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: ", lines[n - 1]), (
            lines[n]
        )


def fits(name: str) -> bool:
    """Whether it can be played as long as it was: the announcement of the maintenance came three days before."""
    return name != "statuspage-maintenance.json"


def test_a_compressed_incident_says_so_and_keeps_its_order() -> None:
    """Four hours in ten minutes; no phase is shorter than 5 s; the posts keep their order."""
    draft = incident_draft(
        stage(only("statuspage-relapse.json"), READINGS["statuspage-relapse.json"].known), "x", 600.0
    )
    scenario = read_scenario(draft_text(draft))

    assert sum(phase.lasts for phase in scenario.phases) == pytest.approx(600, rel=0.05)
    assert min(phase.lasts for phase in scenario.phases) >= 5
    assert [post.at for post in draft.posts] == sorted(post.at for post in draft.posts)
    assert any("Compressed from" in remark for remark in draft.remarks)

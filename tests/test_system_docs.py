"""What docs/system.md shows is what mockbot reads: its system file, its finding names, its measures."""

import re
from pathlib import Path

import pytest

from mockbot.evidence.system_findings import FINDINGS
from mockbot.measures import system
from mockbot.testbed.system.system_file import read_system
from tests.test_docs import README, blocks

PAGE = (Path(__file__).parents[1] / "docs" / "system.md").read_text("utf-8")


@pytest.mark.parametrize("page", [README, PAGE], ids=["README.md", "docs/system.md"])
def test_the_system_file_of_the_page_can_be_read(tmp_path: Path, page: str) -> None:
    """And is asked as its application expects."""
    (shown,) = (block for block in blocks("yaml", page) if block.startswith("# app.yaml"))
    file = tmp_path / "app.yaml"
    file.write_text(shown, "utf-8")

    described = read_system(str(file))

    assert described.ask is not None
    assert described.ask.request.path == "/ask"


def test_every_finding_and_measure_is_on_the_page() -> None:
    """By its name."""
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [*FINDINGS]
    assert not [measure.name for measure in system.MEASURES if measure.name.removesuffix("_p99") not in PAGE]

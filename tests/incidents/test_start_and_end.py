"""What the reader knows better than the file: `--start` and `--end` of an incident whose impact is in it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockbot.cli import cli
from mockbot.scenario.load import load_scenario

HEAD = "start,end,component,level\n"
WINDOW = HEAD + "2026-01-05T10:00:00Z,2026-01-05T10:30:00Z,API,partial\n"


def imported(folder: Path, text: str, *options: str) -> Result:
    """The result of the command; the scenario is out.yaml."""
    (folder / "in.csv").write_text(text, "utf-8")
    return CliRunner().invoke(cli, ["import", str(folder / "in.csv"), "--out", str(folder / "out.yaml"), *options])


@pytest.mark.parametrize(
    ("options", "minutes"),
    [
        ([], 30),
        (["--start", "2026-01-05T09:50:00Z"], 40),
        (["--start", "2026-01-05T10:20:00Z"], 10),
        (["--end", "2026-01-05T10:10:00Z"], 10),
        (["--end", "2026-01-05T11:00:00Z"], 60),
        (["--start", "2026-01-05T10:10:00Z", "--end", "2026-01-05T10:15:00Z"], 5),
        (["--start", "2026-01-05T09:00:00Z", "--end", "2026-01-05T09:15:00Z"], 15),
    ],
)
def test_start_and_end_win_over_the_impact_in_the_file(tmp_path: Path, options: list[str], minutes: int) -> None:
    """Earlier or later; the outage is as long as they say."""
    result = imported(tmp_path, WINDOW, *options)

    assert result.exit_code == 0, result.exception
    faulty = [phase.lasts for phase in load_scenario(tmp_path / "out.yaml").phases if phase.faults]
    assert sum(faulty) == minutes * 60


def test_an_end_before_the_start_is_refused(tmp_path: Path) -> None:
    """With both times, and the options that say them."""
    result = imported(tmp_path, WINDOW, "--start", "2026-01-05T12:00:00Z")

    assert "is not after the start, 2026-01-05 12:00:00 UTC; see --start and --end" in str(result.exception)
    assert not (tmp_path / "out.yaml").exists()


def test_a_name_may_have_quotes_and_line_breaks(tmp_path: Path) -> None:
    """As spreadsheets write them; the scenario stays valid."""
    row = '2026-01-05T10:00:00Z,2026-01-05T10:30:00Z,"API: ""x"" #1\n- y",partial\n'

    result = imported(tmp_path, HEAD + row)

    assert result.exit_code == 0, result.exception
    assert 'API: "x" #1 - y' in (tmp_path / "out.yaml").read_text("utf-8")

"""How a comparison is told: table, page and exit code, from two run folders."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from mockbot.errors import ExitCode, UsageError
from mockbot.evidence.records import Prompt
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import LOAD_JOURNALS, JournalWriter, write_run_info
from mockbot.runs.judge import compare_runs
from mockbot.scenario.schema import Scenario
from tests.evidence.build import CALM, FELT, OUTAGE, evidence, scenario
from tests.evidence.test_compare import LONGER, client


def folder(path: Path, prompts: list[Prompt], *, felt: bool = True, of: Scenario | None = None) -> Path:
    """A run folder as a run leaves it."""
    path.mkdir()
    run = evidence(prompts, FELT if felt else (), of=of)
    (path / "scenario.json").write_text(run.scenario.model_dump_json(), "utf-8")
    write_run_info(RunFolder(path), run.info)
    with JournalWriter(RunFolder(path), LOAD_JOURNALS) as writer:
        for record in (*prompts, *(FELT if felt else ()), *run.actions, *run.health):
            writer.write(record)
    return path


def told(first: Path, second: Path, page: Path | None = None, width: int = 80) -> tuple[ExitCode, str]:
    output = io.StringIO()
    code = compare_runs(RunFolder(first), RunFolder(second), page, Console(file=output, width=width))
    return code, output.getvalue()


def test_a_worse_client_is_told_and_fails(tmp_path: Path) -> None:
    """Exit 1, a row that says so, and a page in the second folder."""
    first, second = folder(tmp_path / "before", client(1)), folder(tmp_path / "after", client(2, fails=0.9))

    code, text = told(first, second)

    assert code == ExitCode.FAIL
    blackout = text.split("\nphase blackout\n")[1].split("\n\n")[0].splitlines()
    assert [row.split()[-1] for row in blackout if row.startswith("availability")] == ["worse"]
    assert "The second run is worse in" in text
    page = (second / "compared-with-before.html").read_text("utf-8")
    assert "before against after" in page
    assert '<span class="mark fail">worse</span>' in page


@pytest.mark.parametrize("width", [60, 80, 120])
def test_its_table_fits_the_terminal(tmp_path: Path, width: int) -> None:
    """Scopes, measures, both values and what became of them are there, however narrow it is."""
    _, text = told(folder(tmp_path / "a", client(1)), folder(tmp_path / "b", client(2, fails=0.9)), width=width)

    lines = text.splitlines()[:-1]  # the page's path is never broken
    assert max(map(len, lines)) <= width
    assert any(line.startswith("availability ") and line.rstrip().endswith(" worse") for line in lines)
    assert "phase blackout, group patient" in lines


def test_the_same_client_passes(tmp_path: Path) -> None:
    """Exit 0."""
    code, text = told(folder(tmp_path / "a", client(1)), folder(tmp_path / "b", client(2)))

    assert code == ExitCode.PASS
    assert "No difference beyond noise" in text


def test_fewer_attempts_for_fewer_answers_are_told_as_that(tmp_path: Path) -> None:
    """Six attempts for each lost prompt against two, and more prompts lost: a row in the scopes where it is so."""
    first, second = folder(tmp_path / "a", client(1, attempts=6)), folder(tmp_path / "b", client(2, fails=0.9))

    code, text = told(first, second)

    assert code == ExitCode.FAIL  # more prompts are lost
    assert "The second run is worse in" in text
    assert next(line.split()[-1] for line in text.splitlines() if line.startswith("attempts_per_prompt")) == "traded"


def test_what_cannot_be_told_is_inconclusive(tmp_path: Path) -> None:
    """Exit 3: one client with a few prompts in each run, of which more failed in the second."""
    few = [client(seed, users=1, fails=fails, every=5.0) for seed, fails in ((1, 0.3), (2, 0.7))]

    code, text = told(folder(tmp_path / "a", few[0]), folder(tmp_path / "b", few[1]))

    assert code == ExitCode.INCONCLUSIVE
    assert "Whether the second run is worse cannot be told" in " ".join(text.split())
    assert 'class="verdict inconclusive"' in (tmp_path / "b" / "compared-with-a.html").read_text("utf-8")


def test_a_run_that_says_nothing_is_inconclusive(tmp_path: Path) -> None:
    """Exit 3 with the reason, whatever else differs."""
    first, second = folder(tmp_path / "a", client(1)), folder(tmp_path / "b", client(2, fails=0.9), felt=False)

    code, text = told(first, second)

    assert code == ExitCode.INCONCLUSIVE
    assert "the second run: no request felt blackout.0.http_error" in " ".join(text.split())


def test_the_page_goes_where_it_is_told_to(tmp_path: Path) -> None:
    """And the folders are left as they were."""
    first = folder(tmp_path / "a", client(1))

    told(first, first, tmp_path / "page.html")

    assert (tmp_path / "page.html").exists()
    assert not list(first.glob("*.html"))


def test_runs_of_different_lengths_share_their_charts(tmp_path: Path) -> None:
    """Their axis ends with the longer one, whichever is first; the page says what is left out."""
    longer = scenario(phases=[CALM, OUTAGE, LONGER])
    first, second = folder(tmp_path / "a", client(1)), folder(tmp_path / "b", client(2), of=longer)

    assert told(first, second)[0] == told(second, first)[0] == ExitCode.PASS

    for page in (second / "compared-with-a.html", first / "compared-with-b.html"):
        text = page.read_text("utf-8")
        assert "their phases differ; left out: the whole run, after (" in text
        assert '"range":[0,500000]' in text.replace(" ", "")


def test_a_folder_that_is_no_run_is_the_users_to_mend(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(UsageError, match="not a run folder"):
        told(tmp_path, tmp_path)


def test_a_name_of_a_folder_is_no_markup(tmp_path: Path) -> None:
    """Neither in the page nor on the console."""
    first = folder(tmp_path / "<img src=x>[bold]", client(1))

    _, text = told(first, first)

    (page,) = first.glob("*.html")
    assert "<img" not in page.read_text("utf-8")
    assert "[bold]" in text

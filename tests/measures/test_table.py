"""The one table of measures, and everything that is made from it."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import mockbot.measures
from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.measures.readme_table import markdown_table
from mockbot.measures.table import EXPECTED, FAMILIES, TABLE
from mockbot.measures.text import format_in_unit
from mockbot.scenario.schema import Expectation

ROOT = Path(__file__).parents[2]


def test_every_family_is_in_the_table_and_every_name_is_there_once() -> None:
    """A module that the table leaves out would be silent; of two measures of one name one would be lost."""
    modules = {module.name for module in pkgutil.iter_modules(mockbot.measures.__path__)}
    sources = {name: (Path(mockbot.measures.__path__[0]) / f"{name}.py").read_text("utf-8") for name in modules}

    assert {name for name, source in sources.items() if "\nMEASURES = " in source} == {
        family.__name__.rpartition(".")[2] for family in FAMILIES
    }
    assert len(TABLE) == sum(len(family.MEASURES) for family in FAMILIES)


def test_no_antipattern_has_the_name_of_a_measure() -> None:
    """A result of an external client is a count unless the table has its name."""
    assert not {*ANTIPATTERNS, "exit_code"} & {*TABLE}


def test_everything_that_is_measured_can_be_expected() -> None:
    """A measure in the report that no file can name would be for show. A mere count is no measure of quality."""
    assert {each.name for each in EXPECTED} == {*TABLE} - {"prompts"}


def test_the_language_offers_the_measures_in_the_order_of_the_table() -> None:
    """Scope keys aside; each with its phrase."""
    fields = Expectation.model_fields

    assert [key for key in fields if key in TABLE] == [measure.name for measure in EXPECTED]
    assert [fields[measure.name].description for measure in EXPECTED] == [measure.text for measure in EXPECTED]


def test_the_documentation_has_the_table() -> None:
    """`python -m mockbot.measures.readme_table scenarios/README.md` writes it."""
    assert markdown_table() in (ROOT / "scenarios" / "README.md").read_text("utf-8")


def test_a_column_has_a_heading_and_nothing_else_has() -> None:
    """Of the tables by phase and group."""
    columns = {measure.name for measure in TABLE.values() if {"column", "narrow"} & {*measure.shown}}

    assert columns == {measure.name for measure in TABLE.values() if measure.heading}


def test_an_unknown_measure_is_an_error() -> None:
    """It used to be printed as a duration."""
    with pytest.raises(KeyError, match="no_such_measure"):
        format_in_unit("no_such_measure", 1.0)


TOY = """
from mockbot.measures import prompts
from mockbot.measures.measure import NO_PROMPTS, Measure
from mockbot.measures.values import ratio

@Measure("share", "low", shown=("narrow", "tile", "seeds", "compare"), heading="late", sentence="late")
def late_share(counted):
    '''Share of the prompts that were answered too late.'''
    return ratio(counted.cohort.answered - counted.cohort.good, counted.cohort.prompts, NO_PROMPTS)

prompts.MEASURES += (late_share,)
from mockbot.__main__ import start
start()
"""
SCENARIO = """
name: toy
title: A toy
slo: 3s
providers: {main: {slots: 4, answer: {first_token: 1s, tokens: {median: 40, p95: 80}, pace: 20/s}}}
crowd: {all: {users: 100%, policy: backoff, think: 5s}}
phases:
  - {name: calm, lasts: 2m, users: 8}
  - {name: surge, lasts: 2m, users: 20}
  - {name: after, lasts: 2m, users: 8}
expect:
  - {phase: surge, late_share: ">= 10%"}
"""


@pytest.mark.second
def test_a_new_measure_is_one_entry(tmp_path: Path) -> None:
    """With its entry alone it can be expected, is simulated, reported, exported, compared, and spread over seeds."""
    program, file, run = tmp_path / "toy.py", tmp_path / "toy.yaml", tmp_path / "run"
    program.write_text(TOY, "utf-8")
    file.write_text(SCENARIO, "utf-8")

    def mockbot(*arguments: str | Path) -> str:
        command = [sys.executable, program, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    told = mockbot("simulate", file, "--engine", "reference", "--seeds", "2", "--out", run)
    assert "late_share >= 10% (phase surge): " in told
    header = next(line for line in told.splitlines() if line.startswith("phase"))
    assert header.split()[2:5] == ["prompts", "good", "late"]
    assert any(line.startswith("late_share") and "±" in line for line in told.splitlines())
    assert 'data-measure="late_share"' in (run / "report.html").read_text("utf-8")
    assert "# HELP mockbot_late_share_ratio Share of" in (run / "exports" / "openmetrics.txt").read_text("utf-8")
    assert "late_share" in (run / "junit.xml").read_text("utf-8")
    assert "late_share" in mockbot("compare", run, run)
    assert '"late_share": {' in mockbot("schema")

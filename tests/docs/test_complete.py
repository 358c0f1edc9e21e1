"""Nothing is missing in the tables of the documents, and README is short."""

import re
from pathlib import Path

import pytest

from mockbot.cli import cli
from mockbot.errors import ExitCode
from mockbot.evidence.antipatterns import ANTIPATTERNS
from mockbot.evidence.system_findings import FINDINGS
from mockbot.measures import system
from mockbot.runs.folder import RunFile
from mockbot.scenario.library import names
from mockbot.testbed.system.system_file import read_system
from tests.docs.pages import README, ROOT, blocks, links, page

MOST_LINES = 250  # of README
GLOSSARY = page("docs/glossary.md")
WORDS = re.findall(r"^\| \*\*(.*?)\*\* \|", GLOSSARY, re.MULTILINE)
INDEX = "docs/README.md"
NOUNS = (
    *(
        "system",
        "gateway",
        "crowd",
        "provider",
        "upstream",
        "wire",
        "dialect",
        "interception",
        "recording",
        "drill",
        "calm",
    ),
    *("laundered", "orphaned", "detour", "canned", "spliced", "silently short", "in full", "fail-over"),
    *(
        "finding",
        "anti-pattern",
        "measure",
        "expectation",
        "verdict",
        "conclusive",
        "speed",
        "policy",
        "prompt",
        "attempt",
    ),
)


def rows(text: str) -> list[str]:
    """What the first cells of its tables have in code."""
    return re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)


def test_the_readme_is_short() -> None:
    """What does not fit is on a page of docs/."""
    assert len(README.splitlines()) <= MOST_LINES


def test_every_file_of_a_run_folder_is_on_the_page() -> None:
    """A reader finds each export and each journal; a sweep and `explain` are no runs, and logs are one row."""
    others = ("logs/", "sweep", "explain")
    verdict = page("docs/verdict.md")

    assert [str(file) for file in RunFile if f"`{file}`" not in verdict and not file.startswith(others)] == []


def test_every_command_is_in_the_table() -> None:
    """A command that is added without a word on the page is noticed here."""
    assert [name for name in cli.commands if f"| `mockbot {name}" not in page("docs/commands.md")] == []


def test_every_option_in_the_table_is_one_of_its_command() -> None:
    """Also where it stands in the text of the row."""
    table = re.findall(r"^\| `mockbot (\w+).*$", page("docs/commands.md"), re.MULTILINE)
    lines = re.findall(r"^\| `mockbot \w+.*$", page("docs/commands.md"), re.MULTILINE)
    real = {name: {option for each in command.params for option in each.opts} for name, command in cli.commands.items()}

    for name, line in zip(table, lines, strict=True):
        assert {*re.findall(r"(?<=`)--[a-z][a-z-]*", line)} <= real[name], name


def test_every_command_says_what_it_does() -> None:
    """`--help` has a sentence for each command."""
    assert all(command.get_short_help_str() for command in cli.commands.values())


def test_every_exit_code_is_on_the_page() -> None:
    """And so is a code that means something new."""
    told = re.findall(r"^\| (\d+) \|", page("docs/verdict.md"), re.MULTILINE)

    assert [int(number) for number in told] == [code.value for code in ExitCode]


def test_every_scenario_that_the_readme_names_is_bundled() -> None:
    """Its table tells of files that are there."""
    told = set(rows(README))

    assert told == {"traffic-surge", "maintenance-window", "unexpected-failure"}
    assert told <= set(names())


@pytest.mark.parametrize("name", ["README.md", "docs/system.md"])
def test_the_system_file_of_the_page_can_be_read(tmp_path: Path, name: str) -> None:
    """And is asked as its application expects."""
    (shown,) = (block for block in blocks("yaml", page(name)) if block.startswith("# app.yaml"))
    file = tmp_path / "app.yaml"
    file.write_text(shown, "utf-8")

    described = read_system(str(file))

    assert described.ask is not None
    assert described.ask.request.path == "/ask"


def test_every_finding_and_measure_of_a_system_is_on_its_page() -> None:
    """By its name."""
    manual = page("docs/system.md")

    assert rows(manual) == [*FINDINGS]
    assert not [measure.name for measure in system.MEASURES if measure.name.removesuffix("_p99") not in manual]


def test_every_antipattern_is_on_the_page_of_clients() -> None:
    """By its name, in the order of the report."""
    assert rows(page("docs/client.md")) == [*ANTIPATTERNS]


def test_the_glossary_is_a_list_to_look_things_up_in() -> None:
    """In alphabetical order, each word once."""
    assert sorted(WORDS, key=str.lower) == WORDS
    assert len({*WORDS}) == len(WORDS) > 30


@pytest.mark.parametrize("name", [*FINDINGS, *ANTIPATTERNS])
def test_the_name_of_a_finding_leads_from_the_glossary_to_its_meaning(name: str) -> None:
    """Its page is one that the glossary's *Finding* or *Anti-pattern* links to."""
    entries = re.findall(r"^\| \*\*(?:Finding|Anti-pattern)\*\* \|.*$", GLOSSARY, re.MULTILINE)
    linked = [target for entry in entries for target in re.findall(r"\]\(([\w.]+)#", entry)]

    assert [target for target in linked if name in rows(page(f"docs/{target}"))]


def test_a_noun_of_the_terminal_and_the_documents_is_in_the_glossary() -> None:
    """Those that a newcomer cannot guess."""
    assert [noun for noun in NOUNS if noun.capitalize() not in WORDS] == []


def test_every_document_is_in_the_list_of_documents() -> None:
    """Which the site's navigation is made from; pages of the library are listed by their own."""
    targets = {target.removeprefix("../") for target in links(INDEX)}
    below = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    listed_elsewhere = {f"outages/{target}" for target in links("docs/outages/README.md")}

    assert below - targets - listed_elsewhere - {"README.md"} == set()

"""What the README says is what happens: its commands run, its files load, its tables are complete."""

import doctest
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import cast

import pytest
from ruamel.yaml import YAML

from mockbot import AttemptResult, Scenario, scenario_yaml
from mockbot.cli import cli
from mockbot.errors import ExitCode
from mockbot.runs.folder import RunFile
from mockbot.scenario.library import names
from mockbot.scenario.load import read_scenario
from tests.commands.test_serve import served

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def marked(name: str) -> str:
    """The command of the block below `<!-- name -->`."""
    found = re.search(rf"<!-- {name} -->\n```console\n(.*?)\n```", README, re.DOTALL)
    assert found is not None
    return found[1]


LOADTESTS = (ROOT / "loadtests" / "README.md").read_text("utf-8")
LANGUAGE = (ROOT / "scenarios" / "README.md").read_text("utf-8")
LIVE = re.compile(r"^(mockbot (run|serve|simulate)|locust|python -m pytest)\b")
Session = tuple[str, str]


def sessions(text: str) -> list[Session]:
    """Each `$ command` of the console blocks, with what is shown to follow; `...` there stands for anything."""
    found = [
        re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE) for block in blocks("(?:console|sh)", text)
    ]
    return [session for block in found for session in block]


QUICK = [each for each in sessions(README) if not LIVE.match(each[0])]
SLOW = [each for each in sessions(README) if LIVE.match(each[0])]


def happens(folder: Path, command: str, expected: str) -> None:
    """Type it where the page's own files are, with this environment's programs on the path; compare as doctest does."""
    for name, text in files().items():
        (folder / name).write_text(text, "utf-8")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **QUIET}
    process = subprocess.Popen(
        shlex.split(command), cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        told = said(process, expected)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()

    assert alike(expected, told), told


def said(process: "subprocess.Popen[str]", expected: str) -> str:
    """What it says to its end, or up to the moment at which all that is shown has been said: some go on for ever."""
    told: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        told.append(line.rstrip() + "\n")
        if line[:1].strip() and expected.endswith("...\n") and alike(expected, "".join(told)):
            break
    return "".join(told)


def alike(expected: str, told: str) -> bool:
    """As doctest compares, `...` and all."""
    return doctest.OutputChecker().check_output(expected, told, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


def files() -> dict[str, str]:
    """The files that the README shows: a block whose first line is a comment with a name is that file."""
    shown = [*blocks("python"), *blocks("yaml")]
    named = {match[1]: text for text in shown if (match := re.match(r"# (\w+\.\w+)", text))}
    mine = next(block for block in shown if "name: my-outage" in block)
    return {**named, "my-outage.yaml": mine, "typo.yaml": mine.replace("http_error", "htp_error")}


QUIET = {"COLUMNS": "400", "PYTEST_ADDOPTS": "-p no:locust -p no:cacheprovider -p no:asyncio", "NO_COLOR": "1"}


@pytest.mark.parametrize(("command", "expected"), QUICK, ids=[command for command, _ in QUICK])
def test_a_session_in_the_readme_happens_as_shown(tmp_path: Path, command: str, expected: str) -> None:
    """What follows a `$ ...` line is what that command writes."""
    happens(tmp_path, command, expected)


@pytest.mark.second
@pytest.mark.parametrize(("command", "expected"), SLOW, ids=[command for command, _ in SLOW])
def test_a_live_session_in_the_readme_happens_as_shown(tmp_path: Path, command: str, expected: str) -> None:
    """The same for those that take a while: a failing test of one's own, a program as client, an outage to serve."""
    happens(tmp_path, command, expected)


@pytest.mark.second
@pytest.mark.parametrize(("command", "expected"), sessions(LOADTESTS), ids=[each[0] for each in sessions(LOADTESTS)])
def test_a_session_with_locust_happens_as_shown(tmp_path: Path, command: str, expected: str) -> None:
    """A plain load test, of a service that runs here, and an outage that is over in moments."""
    (tmp_path / "loadtests").symlink_to(ROOT / "loadtests")
    with served(tmp_path, "--hold", "calm") as play:
        play.until("^calm ")
        happens(tmp_path, command.replace("http://127.0.0.1:8000", play.variables["MOCKBOT_URL"]), expected)


MY_APP = """
import os
import requests

APOLOGY = "Sorry, try again later."


def answer(text):
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    question = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    try:
        reply = requests.post(url, json=question, headers=headers, timeout=10)
    except requests.RequestException:
        return APOLOGY
    return reply.json()["choices"][0]["message"]["content"] if reply.ok else APOLOGY
"""


@pytest.mark.second
def test_the_blackout_of_the_readme_is_survived(tmp_path: Path) -> None:
    """Its test of `my_app` passes with an application that apologises; five times as fast, to save half a minute."""
    (shown,) = (block for block in blocks("python") if "my_app" in block)
    (tmp_path / "my_app.py").write_text(MY_APP, "utf-8")
    (tmp_path / "test_my_app.py").write_text("import my_app\n\n" + shown.replace("speed=60", "speed=300"), "utf-8")

    happens(tmp_path, "python -m pytest -q test_my_app.py", ". ...\n1 passed in ...\n")


def test_the_recipe_for_github_names_real_inputs() -> None:
    """Every input that the README gives is one of action.yml's, and none that is required is left out."""
    (shown,) = (YAML(typ="safe").load(block) for block in blocks("yaml") if "OWNER/mockbot@" in block)
    inputs = YAML(typ="safe").load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    (given,) = (step["with"] for step in shown if "mockbot" in step["uses"])

    assert {name for name, how in inputs.items() if how.get("required")} <= given.keys() <= inputs.keys()


def test_the_recipe_for_gitlab_names_real_variables() -> None:
    """The file is there, and the job that it extends knows each variable."""
    (shown,) = (YAML(typ="safe").load(block) for block in blocks("yaml") if "extends:" in block)
    job = shown["outage"]
    template = YAML(typ="safe").load((ROOT / shown["include"]["file"]).read_text("utf-8"))[job["extends"]]

    assert job["variables"].keys() <= template["variables"].keys()


def test_no_console_block_is_left_unrun() -> None:
    """Every line of every block that a reader would type is one of the sessions, or one of the two commands."""
    typed = [block for text in (README, LANGUAGE, LOADTESTS) for block in blocks("(?:console|sh|bash)?", text)]
    known = {*(command for text in (README, LOADTESTS) for command, _ in sessions(text)), marked("run command")}
    lines = {line.removeprefix("$ ") for block in typed for line in block.splitlines() if line.startswith("$ ")}

    assert lines <= known
    assert [block for block in typed if "$ " not in block and block.startswith(("mockbot", "locust", "curl"))] == []


def test_the_scenario_in_python_can_be_written_down_and_read_back() -> None:
    """The README's own `Scenario(...)`, to YAML and back, is the same value."""
    shown: dict[str, object] = {"__name__": "outages"}
    exec(files()["outages.py"], shown)  # noqa: S102 - the block that the README shows

    assert read_scenario(scenario_yaml(cast("Scenario", shown["BLINK"]))) == shown["BLINK"]


def test_the_policy_of_ones_own_on_the_page_of_the_language_works() -> None:
    """It waits, and gives up when told that the request is wrong."""
    shown: dict[str, object] = {}
    exec(blocks("python", LANGUAGE)[0], shown)  # noqa: S102 - the block that the page shows
    policy = cast("Callable[[int, AttemptResult, Random], float | None]", cast("type", shown["Stubborn"])())

    assert 1.5 <= (policy(1, AttemptResult("http_error", "main", 0.0, status=503), Random(1)) or 0.0) <= 4.5
    assert policy(1, AttemptResult("http_error", "main", 0.0, status=400), Random(1)) is None


def test_every_file_of_a_run_folder_is_in_the_readme() -> None:
    """A reader finds each export and each journal; a sweep and `explain` are no runs, and logs are one row."""
    others = ("logs/", "sweep", "explain")

    assert [str(file) for file in RunFile if f"`{file}`" not in README and not file.startswith(others)] == []


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_is_there(name: str) -> None:
    """Whoever follows a walk finds each file; `<...>` is the name of a new one."""
    text = (ROOT / name).read_text("utf-8")
    paths = set(re.findall(r"`((?:mockbot|tests|scenarios|\.ci|\.github)/[\w./-]+)`", text))
    modules = {f"{module.replace('.', '/')}.py" for module in re.findall(r"python -m (mockbot[\w.]+)", text)}

    assert [path for path in sorted(paths | modules) if not (ROOT / path).exists()] == []


def test_there_are_sessions_to_try() -> None:
    """The pattern above still finds them."""
    assert len(QUICK) >= 3
    assert len(SLOW) >= 4


def test_the_scenario_in_the_readme_is_one() -> None:
    """The YAML block loads as it stands."""
    assert read_scenario(files()["my-outage.yaml"]).name == "my-outage"


def test_the_two_commands_are_one_line_each() -> None:
    """Each can be pasted: a venv, an installation, and what is wanted."""
    assert marked("run command").endswith("&& .venv/bin/mockbot run unexpected-failure")
    assert marked("test command").endswith("&& .venv/bin/python -m pytest -n 2 --dist worksteal")
    assert "\n" not in marked("run command") + marked("test command")


def test_every_command_is_in_the_table() -> None:
    """A command that is added without a word in the README is noticed here."""
    for name in cli.commands:
        assert f"`mockbot {name}" in README


def test_every_exit_code_is_in_the_readme() -> None:
    """And so is a code that means something new."""
    sentence = re.search(r"Exit codes: (.*?)\.\n", README, re.DOTALL)

    assert sentence is not None
    assert [int(number) for number in re.findall(r"\b\d+\b", sentence[1])] == [code.value for code in ExitCode]


def test_every_scenario_that_the_readme_names_is_bundled() -> None:
    """Its table tells of files that are there."""
    told = set(re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE))

    assert told == {"traffic-surge", "maintenance-window", "unexpected-failure"}
    assert told <= set(names())


def test_every_command_says_what_it_does() -> None:
    """`--help` has a sentence for each command."""
    assert all(command.get_short_help_str() for command in cli.commands.values())

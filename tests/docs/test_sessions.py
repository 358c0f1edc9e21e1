"""What the documents show is what happens: their commands run and write what follows, their files load.

A document is covered as soon as it has a block of the language `console` with a line that begins with `$ `: the command
is typed where the files of the same page are (blocks that begin with `# name.py` or `# name.yaml`), and README's
`my-outage.yaml`.
"""

import doctest
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import cast

import pytest
from click import Group
from ruamel.yaml import YAML

from mockbot import AttemptResult, Scenario, scenario_yaml
from mockbot.cli import cli
from mockbot.scenario.load import read_scenario
from tests.commands.test_serve import served
from tests.docs.pages import PAGES, ROOT, Session, blocks, files, marked, my_outage, page, sessions

LIVE = re.compile(r"^(mockbot (run|serve|simulate)|locust|python -m pytest)\b")
LOCUST = "loadtests/README.md"  # its commands want a service that runs already
Shown = tuple[str, Session]  # a document and what it shows
SHOWN = [(name, session) for name in PAGES if name != LOCUST for session in sessions(page(name))]
QUICK = [each for each in SHOWN if not LIVE.match(each[1][0])]
SLOW = [each for each in SHOWN if LIVE.match(each[1][0])]
ENVIRONMENT = {"COLUMNS": "400", "PYTEST_ADDOPTS": "-p no:locust -p no:cacheprovider -p no:asyncio", "NO_COLOR": "1"}


def names_of(shown: Iterable[Shown]) -> list[str]:
    """`docs/client.md: mockbot run ...`"""
    return [f"{name}: {command}" for name, (command, _) in shown]


def happens(folder: Path, name: str, session: Session) -> None:
    """Type it where the page's own files are, with this environment's programs on the path; compare as doctest does."""
    command, expected = session
    typos = {"my-outage.yaml": my_outage(), "typo.yaml": my_outage().replace("http_error", "htp_error")}
    for file, text in {**typos, **files(page(name))}.items():
        (folder / file).write_text(text, "utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **ENVIRONMENT}
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


@pytest.mark.parametrize(("name", "session"), QUICK, ids=names_of(QUICK))
def test_a_session_happens_as_shown(tmp_path: Path, name: str, session: Session) -> None:
    """What follows a `$ ...` line is what that command writes."""
    happens(tmp_path, name, session)


@pytest.mark.second
@pytest.mark.parametrize(("name", "session"), SLOW, ids=names_of(SLOW))
def test_a_live_session_happens_as_shown(tmp_path: Path, name: str, session: Session) -> None:
    """The same for those that take a while: a failing test of one's own, a program as client, an outage to serve."""
    happens(tmp_path, name, session)


@pytest.mark.second
@pytest.mark.parametrize("session", sessions(page(LOCUST)), ids=[command for command, _ in sessions(page(LOCUST))])
def test_a_session_with_locust_happens_as_shown(tmp_path: Path, session: Session) -> None:
    """A plain load test, of a service that runs here, and an outage that is over in moments."""
    (tmp_path / "loadtests").symlink_to(ROOT / "loadtests")
    with served(tmp_path, "--hold", "calm") as play:
        play.until("^calm ")
        command = session[0].replace("http://127.0.0.1:8000", play.variables["MOCKBOT_URL"])
        happens(tmp_path, LOCUST, (command, session[1]))


def test_there_are_sessions_to_try() -> None:
    """The pattern above still finds them."""
    assert len(QUICK) >= 3
    assert len(SLOW) >= 4


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
def test_the_blackout_of_the_page_is_survived(tmp_path: Path) -> None:
    """Its test of `my_app` passes with an application that apologises; five times as fast, to save half a minute."""
    (shown,) = (block for block in blocks("python", page("docs/client.md")) if "my_app" in block)
    (tmp_path / "my_app.py").write_text(MY_APP, "utf-8")
    (tmp_path / "test_my_app.py").write_text("import my_app\n\n" + shown.replace("speed=60", "speed=300"), "utf-8")

    happens(tmp_path, "docs/client.md", ("python -m pytest -q test_my_app.py", ". ...\n1 passed in ...\n"))


A_CROWD = """
name: soon
title: Five seconds of 503
providers: {main: {answer: {first_token: 100ms, tokens: {median: 5, p95: 8}, pace: 100/s}}}
crowd: {people: {users: 100%, policy: once, think: 500ms}}
phases:
  - {name: calm, lasts: 5s, users: 10}
  - {name: blackout, lasts: 5s, faults: [{http_error: 503}]}
  - {name: after, lasts: 5s}
"""


@pytest.mark.second
def test_the_application_of_the_readme_is_asked_and_asks(tmp_path: Path) -> None:
    """Its two files, as they stand, between a crowd and a provider; in full is what its users get in calm."""
    (tmp_path / "soon.yaml").write_text(A_CROWD, "utf-8")
    seen = "...\nphase users saw providers saw\ncalm ... prompts, ... in full, ... requests a prompt: main ...\n..."

    happens(tmp_path, "README.md", ("mockbot run soon.yaml --system app.yaml", seen))


def test_the_recipe_for_github_names_real_inputs() -> None:
    """Every input that the page gives is one of action.yml's, and none that is required is left out."""
    (shown,) = (YAML(typ="safe").load(it) for it in blocks("yaml", page("docs/ci.md")) if "OWNER/mockbot@" in it)
    inputs = YAML(typ="safe").load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    (given,) = (step["with"] for step in shown if "mockbot" in step["uses"])

    assert {name for name, how in inputs.items() if how.get("required")} <= given.keys() <= inputs.keys()


def test_the_recipe_for_gitlab_names_real_variables() -> None:
    """The file is there, and the job that it extends knows each variable."""
    (shown,) = (YAML(typ="safe").load(it) for it in blocks("yaml", page("docs/ci.md")) if "extends:" in it)
    job = shown["outage"]
    template = YAML(typ="safe").load((ROOT / shown["include"]["file"]).read_text("utf-8"))[job["extends"]]

    assert job["variables"].keys() <= template["variables"].keys()


@pytest.mark.parametrize("name", PAGES)
def test_a_command_of_mockbot_has_the_options_that_a_document_gives_it(name: str) -> None:
    """In every block, session or not, and in every `mockbot ...` of the text; what follows `--` is the reader's own."""
    in_blocks = [line for block in blocks("[a-z]*", page(name)) for line in block.splitlines()]
    indented = re.findall(r"^    (?=mockbot )(.*)$", page(name), re.MULTILINE)
    in_text = re.findall(r"(?<!`)`(mockbot [^`]*)`", page(name))
    typed = [part for line in [*in_blocks, *indented, *in_text] for part in re.findall(r"\bmockbot [a-z].*", line)]

    assert [text for text in typed if (text.split()[1] in cli.commands) and _unknown(text)] == []


def _unknown(typed: str) -> set[str]:
    """The options in `mockbot COMMAND ...` that the command does not have."""
    ours = re.split(r" -- |  +#| #|[|;)\"]|, ", typed)[0]
    command = cli.commands[ours.split()[1]]
    assert not isinstance(command, Group)
    known = {option for parameter in command.params for option in parameter.opts}
    return {*re.findall(r"(?<=\s)--[a-z][a-z-]*", ours)} - known - {"--help"}


def test_no_console_block_is_left_unrun() -> None:
    """Every line of README that a reader would type is one of the sessions, or one of the two commands."""
    typed = blocks("(?:console|sh|bash)?")
    known = {*(command for command, _ in sessions(page("README.md"))), marked("run command")}
    lines = {line.removeprefix("$ ") for block in typed for line in block.splitlines() if line.startswith("$ ")}

    assert lines <= known
    assert [block for block in typed if "$ " not in block and block.startswith(("mockbot", "locust", "curl"))] == []


def test_the_scenario_in_python_can_be_written_down_and_read_back() -> None:
    """The page's own `Scenario(...)`, to YAML and back, is the same value."""
    shown: dict[str, object] = {"__name__": "outages"}
    exec(files(page("docs/client.md"))["outages.py"], shown)  # noqa: S102 - the block that the page shows

    assert read_scenario(scenario_yaml(cast("Scenario", shown["BLINK"]))) == shown["BLINK"]


def test_the_policy_of_ones_own_on_the_page_of_the_language_works() -> None:
    """It waits, and gives up when told that the request is wrong."""
    shown: dict[str, object] = {}
    exec(blocks("python", page("scenarios/README.md"))[0], shown)  # noqa: S102 - the block that the page shows
    policy = cast("Callable[[int, AttemptResult, Random], float | None]", cast("type", shown["Stubborn"])())

    assert 1.5 <= (policy(1, AttemptResult("http_error", "main", 0.0, status=503), Random(1)) or 0.0) <= 4.5
    assert policy(1, AttemptResult("http_error", "main", 0.0, status=400), Random(1)) is None


def test_the_scenario_in_the_readme_is_one() -> None:
    """The YAML block loads as it stands."""
    assert read_scenario(my_outage()).name == "my-outage"


def test_the_two_commands_are_one_line_each() -> None:
    """Each can be pasted: a venv, an installation, and what is wanted."""
    assert marked("run command").endswith("&& .venv/bin/mockbot run unexpected-failure")
    assert marked("test command").endswith("&& .venv/bin/python -m pytest -n 2 --dist worksteal")
    assert "\n" not in marked("run command") + marked("test command")

"""What `--system` takes, and what is said about a file that is wrong."""

from pathlib import Path

import pytest

from mockbot.errors import ExitCode, UsageError
from mockbot.scenario.library import folder
from mockbot.testbed.system.names import filled, names_of_testbed
from mockbot.testbed.system.system_file import read_system

FILE = """\
name: my-app
start: uvicorn app:app --port {port}
files: {config.yaml: "url: {main.url}/v1"}
env: {TOKEN: "${MY_TOKEN}"}
ready: {path: /health, within: 30s}
ask:
  request: {path: /ask, json: {text: "{prompt}"}}
  answer: {json: $.answer}
"""


def _written(tmp_path: Path, text: str = FILE) -> str:
    file = tmp_path / "system.yaml"
    file.write_text(text, "utf-8")
    return str(file)


def test_a_file_says_how_it_is_started_and_asked(tmp_path: Path) -> None:
    """Durations are written as everywhere."""
    system = read_system(_written(tmp_path))

    assert (system.name, system.ready.within) == ("my-app", 30.0)
    assert system.ask is not None
    assert system.ask.request.json_ == {"text": "{prompt}"}


def test_a_url_is_a_gateway_that_runs(tmp_path: Path) -> None:
    """It speaks OpenAI's API, and nothing is started."""
    system = read_system("http://127.0.0.1:4000/")

    assert (system.start, system.url, system.speaks) == (None, "http://127.0.0.1:4000", "openai")


def test_anything_else_is_a_command() -> None:
    """It is told its port by {port}."""
    system = read_system("uvicorn app:app --port {port}")

    assert (system.start, system.url, system.speaks) == ("uvicorn app:app --port {port}", None, "openai")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("start:", "strat:", ":2:1: strat: 'strat' is no key here; did you mean 'start'?"),
        ("$.answer", "'$.['", ":8:18: ask.answer.json: '$.[' is not a JSONPath: expected a shorthand selector"),
        ("{prompt}", "hello", ":7:12: ask.request: {prompt} is nowhere in the request"),
        ("config.yaml", "../config.yaml", ":3:25: files.../config.yaml"),
        ("30s", "30", ":5:32: ready.within: 30 is not a duration"),
        ("{json: $.answer}", "{}", ":8:11: ask.answer: says nothing; say one of json, text, sse, ndjson"),
        ("{json: $.answer}", "{json: $.a, text: true}", ":8:11: ask.answer: has json and text"),
        ("ask:\n", "speaks: openai\nask:\n", ":1:1: system: has both 'speaks' and 'ask'"),
        (
            "uvicorn app:app",
            "cd app && uvicorn app:app",
            ":2:8: start: 'cd app && uvicorn app:app --port {port}' is not",
        ),
        (
            "uvicorn app:app",
            'uvicorn "app',
            ":2:8: start: 'uvicorn \"app --port {port}' cannot be split into words: No closing",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_way_out(tmp_path: Path, old: str, new: str, says: str) -> None:
    """One line each, exit code 2, before anything is started."""
    file = _written(tmp_path, FILE.replace(old, new, 1))

    with pytest.raises(UsageError) as caught:
        read_system(file)

    assert f"{file}{says}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("target", ["", "FOO=1 app", "app | tee log", "app 'x", "ftp://127.0.0.1"])
def test_a_wrong_short_form_says_what_it_was_taken_for(target: str) -> None:
    """No shell runs a command, and a URL is one of HTTP."""
    with pytest.raises(UsageError, match="--system "):
        read_system(target)


def test_a_missing_file_is_named() -> None:
    """Not taken for a command."""
    with pytest.raises(UsageError, match=r"nowhere\.yaml: cannot be read: No such file"):
        read_system("nowhere.yaml")


def test_a_variable_of_the_environment_becomes_a_secret(tmp_path: Path) -> None:
    """Every value that came from there is one."""
    system, secrets = read_system(_written(tmp_path)).with_environment({"MY_TOKEN": "t0p-secret"})

    assert system.env == {"TOKEN": "t0p-secret"}
    assert secrets == {"t0p-secret"}


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    """Before anything is started."""
    with pytest.raises(UsageError, match=r"system my-app: \$\{MY_TOKEN\} is not set"):
        read_system(_written(tmp_path)).with_environment({})


def test_only_known_names_are_replaced_and_only_once() -> None:
    """Configurations are full of braces, and a prompt may hold any of them."""
    names = {"main.url": "http://x/{port}", "port": "1", "prompt": "{user}", "user": "u"}

    assert filled("a {main.url} {other} {{port}} {Port} {prompt} ${port}", names) == (
        "a http://x/{port} {other} {1} {Port} {user} $1"
    )
    assert filled({"{port}": ["{port}", 3, None, {"x": "{port}"}]}, names) == {"{port}": ["1", 3, None, {"x": "1"}]}


@pytest.mark.parametrize("file", sorted((folder("loadtests") / "systems").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_bundled_system_can_be_read(file: Path) -> None:
    """By its name alone; it is named after its file, and every name in it is known."""
    system = read_system(file.stem)
    names = names_of_testbed({"main": "http://127.0.0.1:1", "other": "http://127.0.0.1:2"}, "http://127.0.0.1:3")
    told = {**names, "dir": "/d", "port": "4", "user": "u", "prompt": "p"}

    ready = system.filled(told)

    assert system.name == file.stem
    assert not [name for name in told if f"{{{name}}}" in ready.model_dump_json(exclude={"start"})]
    assert "{main." not in ready.model_dump_json()

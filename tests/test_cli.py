"""The command line as a user meets it: a sentence and an exit code for every way in which it can go wrong."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mockbot.cli import cli

OWN_HELP = "proxy"  # prints Toxiproxy's flags itself
COMMANDS = sorted(cli.commands.keys() - {OWN_HELP})
ON_SYSTEM = Path(__file__).parent / "e2e" / "on_system.yaml"
WRONG_USE = [
    (["run", "trafic-surge"], "did you mean 'traffic-surge'"),
    (["run"], "Missing argument"),
    (["sweep", "traffic-surge"], "mockbot simulate NAME --sweep"),
    (["run", "traffic-surge", "--speed", "0"], "--speed"),
    (["run", "traffic-surge", "--processes", "many"], "--processes"),
    (["run", "traffic-surge", "--locustfile", "missing.py"], "missing.py"),
    (["run", "traffic-surge", "--", "no-such-command"], "no-such-command"),
    (["run", "traffic-surge", "--speed", "5", "--", "true"], "keeps its own clock"),
    (["check", "missing.yaml"], "missing.yaml"),
    (["check", "."], "."),
    (["report", "."], "not a run folder"),
    (["serve", "unexpected-failure", "--hold", "blackot"], "did you mean 'blackout'"),
    (["simulate", "traffic-surge", "--compare", "backof"], "backof"),
    (["simulate", "traffic-surge", "--", "python", "bot.py"], "a program keeps its own clock"),
    (
        ["run", str(ON_SYSTEM)],
        "blackout.0.restart is on the system under test, and there is none",
    ),
    (
        ["run", str(ON_SYSTEM), "--system", "http://127.0.0.1:9"],
        "only what mockbot started can be restarted",
    ),
    (["run", str(ON_SYSTEM), "--", "true"], "blackout.0.restart is on the system under test"),
    (["simulate", str(ON_SYSTEM)], "blackout.0.restart is on the system under test"),
    (["serve", str(ON_SYSTEM)], "blackout.0.restart is on the system under test"),
    (["runn"], "runn"),
]


def mockbot(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    command = [sys.executable, "-m", "mockbot", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "hint"), WRONG_USE, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_wrong_use_is_a_sentence_and_exit_2(tmp_path: Path, arguments: list[str], hint: str) -> None:
    """No traceback; what was wrong is named, and nothing is left behind."""
    result = mockbot(*arguments, cwd=tmp_path)

    assert result.returncode == 2, result.stderr
    assert hint in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def help_of(*arguments: str) -> str:
    """The help text as a terminal of 80 columns shows it."""
    return CliRunner().invoke(cli, [*arguments, "--help"], terminal_width=80).output


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_a_help_text_fits_80_columns(command: str) -> None:
    """Whoever reads it has an ordinary terminal."""
    assert max(map(len, help_of(*command.split()).splitlines())) <= 80


def test_the_list_of_commands_cuts_no_sentence_off() -> None:
    """Each command's first sentence fits its line."""
    _, listed = help_of().split("Commands:")

    assert "..." not in listed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_sentence_of_help(command: str) -> None:
    """It says what the option is for and ends with a full stop."""
    options = [option for option in cli.commands[command].params if isinstance(option, click.Option)]

    assert [option.name for option in options if not (option.help or "").endswith(".")] == []


def test_every_problem_of_every_file_is_told(tmp_path: Path) -> None:
    """`check` does not stop at the first file, nor at the first problem."""
    (tmp_path / "a.yaml").write_text("name: a\ntitel: A\n", "utf-8")
    (tmp_path / "b.yaml").write_text("name: b\nspeed: fast\n", "utf-8")

    result = mockbot("check", "a.yaml", "traffic-surge", "b.yaml", cwd=tmp_path)

    assert result.returncode == 2
    assert "a.yaml:2:1" in result.stderr
    assert "b.yaml:2:8" in result.stderr
    assert "traffic-surge: ok" in result.stdout


def test_a_defect_of_ours_is_no_verdict(tmp_path: Path) -> None:
    """A crash exits with 4: 1 would read as expectations that failed."""
    program = (
        "import sys, mockbot.cli.scenarios as module, mockbot.__main__ as entry; module.scenario_of = lambda _: 1 / 0; "
        "sys.argv = ['mockbot', 'show', 'x']; entry.start()"
    )

    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode == 4
    assert "ZeroDivisionError" in result.stderr


@pytest.mark.parametrize("left", ["run.json", "journal.jsonl"])
@pytest.mark.parametrize(
    "arguments",
    [("run", "traffic-surge", "--out", "."), ("run", "traffic-surge", "--out", ".", "--", "true"),
     ("simulate", "traffic-surge", "--out", ".")],
)  # fmt: skip
def test_a_second_run_does_not_mix_with_the_first(tmp_path: Path, arguments: tuple[str, ...], left: str) -> None:
    """A folder that holds a run, also a killed one, is refused: two journals in one file would be judged as one."""
    (tmp_path / left).write_text("{}", "utf-8")

    result = mockbot(*arguments, cwd=tmp_path)

    assert result.returncode == 2
    assert "holds a run already" in result.stderr


def test_the_help_waits_for_nothing_that_it_does_not_need() -> None:
    """Neither for the language nor for what draws: all of them are imported by the command that needs them."""
    program = "import sys, mockbot.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert not {"pydantic", "rich", "requests", "numba", "locust"} & set(done.stdout.split())

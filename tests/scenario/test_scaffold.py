"""`mockbot new`: what it writes is a right scenario that passes, whatever is asked for."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mockbot.cli import cli
from mockbot.evidence.verdict import judge
from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.lint import lint
from mockbot.scenario.load import load_scenario, read_scenario
from mockbot.scenario.scaffold import LONGEST, Brief, name_from, scaffold
from mockbot.scenario.scaffold_choices import BROKE, CAUSES, MOST, Broke, Cause
from mockbot.scenario.timeline import Timeline
from mockbot.simulate.simulation import Memory, simulate


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize(("length", "users"), [(300.0, 30), (3600.0, 100)])
def test_what_it_writes_passes_in_virtual_time(cause: Cause, length: float, users: int) -> None:
    """Its expectations hold, every fault is felt, and it is played in about a minute and a half."""
    made, memory = read_scenario(scaffold(Brief("mine", cause, length, users))), Memory()

    judgement = judge(memory.evidence(made, simulate(made, sink=memory.take)))

    assert judgement.verdict == "pass", "\n".join(judgement.reasons)
    assert Timeline(made).end / made.speed <= 120


@pytest.mark.parametrize("broke", BROKE)
@pytest.mark.parametrize(("length", "users"), [(300.0, 30), (3600.0, 100)])
def test_a_failure_shows_as_was_asked_for(broke: Broke, length: float, users: int) -> None:
    """The file's expectations hold, every fault is felt, nothing is doubtful."""
    made, memory = read_scenario(scaffold(Brief("mine", "failure", length, users, None, broke))), Memory()

    judgement = judge(memory.evidence(made, simulate(made, sink=memory.take, engine="reference")))

    assert judgement.verdict == "pass", "\n".join(judgement.reasons)
    assert lint(made) == ()


@pytest.mark.parametrize("cause", CAUSES)
def test_it_is_what_was_asked_for(cause: Cause) -> None:
    """The cause, the length, the crowd, the speed; and three kinds of clients."""
    made = read_scenario(scaffold(Brief("mine", cause, 900.0, 200, 5.0)))

    assert (made.name, made.cause is not None, made.speed) == ("mine", True, 5)
    assert next(phase.lasts for phase in made.phases if phase.name == "outage") == 900
    assert sum(Timeline(made).at(0).users.values()) == 200
    assert {group.policy.name for group in made.crowd.values()} == {"refresh", "sdk", "backoff"}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_longest_and_the_largest_are_right_too(cause: Cause) -> None:
    """And are played in two minutes."""
    made = read_scenario(scaffold(Brief("mine", cause, LONGEST, MOST)))

    assert Timeline(made).end / made.speed <= 120


@pytest.mark.parametrize(
    ("file", "name"), [("My Outage.yaml", "my-outage"), ("dir/x_1.yml", "x-1"), ("äö.yaml", "my-outage")]
)
def test_its_name_comes_from_the_file(file: str, name: str) -> None:
    """In the letters that the language has."""
    assert name_from(Path(file)) == name


def test_flags_need_no_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is written, and `check` finds nothing wrong with it."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    made = runner.invoke(cli, ["new", "mine.yaml", "--cause", "failure", "--length", "10m", "--users", "50"])
    checked = runner.invoke(cli, ["check", "mine.yaml"])

    assert (made.exit_code, checked.exit_code) == (0, 0), made.output + checked.output
    assert load_scenario(tmp_path / "mine.yaml").name == "mine"


def test_it_extends_another_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled one by its name, a file by its way from the new one; an editor finds the schema beside it."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    bundled = runner.invoke(cli, ["new", "--from", "traffic-surge"])
    (tmp_path / "deep").mkdir()
    own = runner.invoke(cli, ["new", "deep/mine.yaml", "--from", "my-traffic-surge.yaml"])

    assert (bundled.exit_code, own.exit_code) == (0, 0), bundled.output + own.output
    made = load_scenario(tmp_path / "deep" / "mine.yaml")
    assert (made.name, made.cause) == ("mine", "traffic surge")
    assert "extends: ../my-traffic-surge.yaml" in (tmp_path / "deep" / "mine.yaml").read_text("utf-8")
    assert (tmp_path / "deep" / "scenario.schema.json").read_text("utf-8") == schema_json()


def test_it_asks_a_person_for_what_no_flag_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cause, length, crowd; an answer that is none is asked for again, an empty one is the default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mockbot.commands.new.is_interactive", lambda: True)

    result = CliRunner().invoke(cli, ["new"], input="flood\nfailure\nregion\n20m\n\n")

    assert result.exit_code == 0, result.output
    assert "'flood' is not one of" in result.output
    made = load_scenario(tmp_path / "my-failure.yaml")
    assert [*made.providers] == ["main", "other-region"]
    assert [phase.lasts for phase in made.phases if phase.name == "outage"] == [1200]
    assert sum(Timeline(made).at(0).users.values()) == 60


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["new"], "give --cause"),
        (["new", "--cause", "failure", "--length", "10"], "is not a duration"),
        (["new", "--cause", "failure", "--length", "10s"], "--length 10s; give 5m to 10h"),
        (["new", "--cause", "surge", "--broke", "slow"], "says how a failure shows"),
        (["new", "--from", "traffic-surge", "--users", "50"], "--from takes everything from that scenario"),
        (["new", "--from", "trafic-surge"], "did you mean 'traffic-surge'?"),
        (["new", "missing/x.yaml", "--cause", "failure"], "missing/x.yaml: cannot be written"),
    ],
)
def test_wrong_use_is_told_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], hint: str
) -> None:
    """With nobody to ask, what has no default must be said."""
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(cli, arguments)

    assert hint in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """Unless --force says otherwise."""
    path = tmp_path / "mine.yaml"
    path.write_text("precious\n", "utf-8")
    arguments = ["new", str(path), "--cause", "maintenance"]

    refused = CliRunner().invoke(cli, arguments)
    kept = path.read_text("utf-8")
    forced = CliRunner().invoke(cli, [*arguments, "--force"])

    assert "exists already; name another file, or overwrite it with --force" in str(refused.exception)
    assert kept == "precious\n"
    assert forced.exit_code == 0
    assert load_scenario(path).cause == "maintenance"

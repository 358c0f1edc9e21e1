"""What `mockbot simulate` says about a scenario beside its result."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from mockbot.commands.simulate import SimulateOptions, simulate_command
from tests.scenario.build import scenario


def test_answers_of_the_scenarios_own_are_not_played_in_silence(tmp_path: Path) -> None:
    """A simulation has no texts, so their lengths are those of every answer."""
    providers = {"main": {"answers": [{"verbatim": "YES"}]}, "other": {}}
    said = StringIO()
    options = SimulateOptions(scenario(providers=providers), engine="reference", out=tmp_path / "run")

    simulate_command(options, Console(file=said, width=200))

    assert "not played: answers of main; a simulation has no texts" in said.getvalue()

"""The recording of `mockbot serve`: what the testbed no longer told at the end makes its verdict undecided."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mockbot.clock import Clock
from mockbot.commands import recording
from mockbot.commands.recording import Recording
from mockbot.errors import TestbedError
from mockbot.runs.folder import RunFolder
from mockbot.runs.journal_files import read_run_info
from mockbot.scenario.load import read_scenario
from mockbot.testbed.start import Addresses
from tests.commands.build import SHORT

ADDRESSES = Addresses("http://service", "http://proxy", {"main": "", "other": ""}, {}, {}, 1.0)


class Observer:
    """Of a client that asked nothing; the service may be gone."""

    every, wires = (), frozenset[Any]()

    def __init__(self, _: Addresses) -> None:
        self.gone = False

    def look(self) -> None:
        """As `ClientObserver`."""
        if self.gone:
            raise TestbedError("no answer")


@pytest.mark.parametrize(
    ("gone", "ended", "why"),
    [(False, "completed", ""), (True, "failed", "the last records of the testbed are missing (no answer)")],
)
def test_what_the_testbed_does_not_tell_at_the_end_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool, ended: str, why: str
) -> None:
    """Requests of the last moments may have been what the client did wrong."""
    monkeypatch.setattr(recording, "ClientObserver", Observer)
    scenario = read_scenario(SHORT)
    made = Recording(scenario, ADDRESSES, tmp_path / "run")
    made.begin(scenario, Clock.start())
    made._stretches[0].observer.gone = gone  # type: ignore[attr-defined]

    made.look()
    made.end(2.0)
    made.write(Console(quiet=True))

    info = read_run_info(RunFolder(tmp_path / "run"))
    assert info is not None
    assert (info.ended, info.why) == (ended, why)

"""The live run that an explanation compares with: the folder that was given, or the newest one of this scenario."""

from pathlib import Path
from shlex import quote

from mockbot.errors import UsageError
from mockbot.evidence.journal import RunEvidence
from mockbot.runs.folder import RUNS, RunFile, RunFolder
from mockbot.runs.journal_files import read_run, read_run_info
from mockbot.scenario.schema import Scenario


def find_live(scenario: Scenario, path: Path | None, target: str) -> RunEvidence | None:
    """None when no folder was given and none is found. Raises UsageError for a given folder that does not fit.

    `target`: what the user wrote for the file.
    """
    if path is None:
        # Without the link to the latest run, which is one of the others.
        paths = [each for each in RUNS.iterdir() if each.is_dir() and not each.is_symlink()] if RUNS.is_dir() else []
        folders = map(RunFolder, sorted(paths, reverse=True))
        return next((read_run(each) for each in folders if _fits(each, scenario)), None)
    evidence = read_run(RunFolder(path))
    if evidence.scenario.name != scenario.name:
        raise UsageError(
            f"--run {path}: a run of {evidence.scenario.name}, not of {scenario.name}; give one of this file"
        )
    if evidence.info.simulated or evidence.info.client == "command" or evidence.info.t0 is None:
        what = "simulated" if evidence.info.simulated else "without the scenario's own crowd"
        raise UsageError(f"--run {path}: a run that was {what}; give one that `mockbot run {quote(target)}` made")
    return evidence


def _fits(folder: RunFolder, scenario: Scenario) -> bool:
    """A completed live run of the very same scenario, with whatever seed."""
    info = read_run_info(folder)
    if info is None or info.simulated or info.ended != "completed" or info.client == "command":
        return False
    file = folder / RunFile.SCENARIO
    if info.scenario != scenario.name or not file.is_file():
        return False
    return read_run(folder).scenario == scenario.model_copy(update={"seed": info.seed})

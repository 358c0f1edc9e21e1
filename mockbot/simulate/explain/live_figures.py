"""The live run that an explanation is laid beside: a folder that was named, or the newest one of this scenario."""

from pathlib import Path

from mockbot.errors import UsageError
from mockbot.evidence.journal import RunEvidence
from mockbot.runs.folder import RUNS, RunFile, RunFolder
from mockbot.runs.journal_files import read_run, read_run_info
from mockbot.scenario.schema import Scenario


def find_live(scenario: Scenario, folder: Path | None) -> RunEvidence | None:
    """None when nobody named one and there is none. Raises UsageError for a named folder that will not do."""
    if folder is None:
        found = next((each for each in _newest_first() if _fits(each, scenario)), None)
        return None if found is None else read_run(found)
    evidence = read_run(RunFolder(folder))
    if evidence.scenario.name != scenario.name:
        raise UsageError(f"--run {folder}: a run of {evidence.scenario.name}, not of {scenario.name}")
    if evidence.info.simulated or evidence.info.client == "command" or evidence.info.t0 is None:
        what = "simulated" if evidence.info.simulated else "without the scenario's own crowd"
        raise UsageError(f"--run {folder}: a run that was {what}; give one that `mockbot run {scenario.name}` made")
    return evidence


def _newest_first() -> list[RunFolder]:
    """The folders of `runs/`, but for the link to the latest one."""
    if not RUNS.is_dir():
        return []
    folders = (each for each in RUNS.iterdir() if each.is_dir() and not each.is_symlink())
    return [RunFolder(each) for each in sorted(folders, reverse=True)]


def _fits(folder: RunFolder, scenario: Scenario) -> bool:
    """A completed live run of the very same scenario."""
    info = read_run_info(folder)
    if info is None or info.simulated or info.ended != "completed" or info.client == "command":
        return False
    file = folder / RunFile.SCENARIO
    return info.scenario == scenario.name and file.is_file() and read_run(folder).scenario == scenario

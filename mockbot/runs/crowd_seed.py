"""Which seed a live run draws its crowd with: a scenario and the place of its folder in, a seed out.

Two runs of one seed have the same arrivals and think times: nearly one sample, not two. So a run takes the scenario's
seed if it is the first beside its folder, and else the one after the largest of the runs of this scenario there.
"""

import os
from pathlib import Path

from mockbot.runs.folder import RUNS, RunFile, RunFolder
from mockbot.runs.journal_files import read_run_info
from mockbot.scenario.schema import Scenario


def crowd_seed(scenario: Scenario, out: Path | None) -> int:
    """`out`: the folder that the run will have; None: one of runs/."""
    beside = RUNS if out is None else out.parent
    files = (file for file in beside.glob(f"*/{RunFile.RUN}") if os.access(file, os.R_OK))
    infos = [info for file in files if (info := read_run_info(RunFolder(file.parent))) is not None]
    taken = [info.seed for info in infos if info.scenario == scenario.name and not info.simulated]
    return max((scenario.seed, *(seed + 1 for seed in taken)))

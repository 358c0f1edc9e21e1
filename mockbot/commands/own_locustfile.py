"""Check the locustfile that `--locustfile` names, before anything starts: UsageError with every mistake.

A child process loads it: importing Locust would patch this one, and the file may do anything.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import mockbot.load
from mockbot.errors import UsageError
from mockbot.scenario.parts import Group
from mockbot.testbed.system.system_file import System
from mockbot.units.formatting import format_wall

CONNECT_LOCUST = Path(mockbot.load.__path__[0], "connect_locust.py")
CHECKED = "mockbot has checked:"  # the child's line among those of the file itself
LOADED_WITHIN = 60.0  # wall seconds
QUOTED = 300  # characters of what the child said


def check_locustfile(path: Path, crowd: Mapping[str, Group], system: System | None) -> None:
    """`crowd`: the scenario's, where it is known. `system`: as its file says, with an address if it runs already."""
    if "," in str(path):
        raise UsageError(f"{path}: Locust takes a path with a comma for two files; rename it")
    arriving = [name for name, group in crowd.items() if group.arrivals is not None]
    url = system.url if system is not None and system.start is None else None
    use = {"system": system is not None, "url": url, "groups": [*crowd], "arriving": arriving}
    command = [sys.executable, "-P", "-m", "mockbot.load.locustfile_check"]
    command += [str(path.absolute()), json.dumps(use), CHECKED]
    try:
        ran = subprocess.run(
            command, cwd=path.absolute().parent, capture_output=True, text=True, check=False, timeout=LOADED_WITHIN
        )
    except subprocess.TimeoutExpired:
        remedy = "what waits belongs into on_start or a task"
        raise UsageError(f"{path}:1: was not imported within {format_wall(LOADED_WITHIN)}; {remedy}") from None
    said = next((line for line in ran.stdout.splitlines() if line.startswith(CHECKED)), None)
    if said is None:
        tail = ran.stderr.strip()[-QUOTED:]
        raise UsageError(
            f"{path}:1: ended the process that imported it, with exit code {ran.returncode}; let it define users only: "
            f"{tail}"
        )
    if mistakes := json.loads(said.removeprefix(CHECKED)):
        raise UsageError("\n".join(mistakes).replace(str(path.absolute()), str(path)))

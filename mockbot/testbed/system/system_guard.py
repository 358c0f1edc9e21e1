"""Run a system's command behind a guard: `python -m mockbot.testbed.system.system_guard FOLDER COMMAND...`.

As `process_group_guard`; and when mockbot was killed, FOLDER, which holds the rendered files, goes with the system. A
mockbot that is alive leaves KEPT in the folder before it ends the guard: it may start the system again.
"""

import select
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from mockbot.process import process_group_guard

KEPT = ".kept"


def main(argv: Sequence[str]) -> int:
    """Run the command to its end, or to the end of stdin; its exit code."""
    code = process_group_guard.main(argv[1:])
    kept = Path(argv[0], KEPT)
    # Not by the parent's id: stdin ends before the kernel gives the children of a killed process a new parent.
    if select.select([sys.stdin], [], [], 0)[0] and not kept.exists():
        shutil.rmtree(argv[0], ignore_errors=True)
    kept.unlink(missing_ok=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run a system's command behind a guard: `python -m mockbot.testbed.system.system_guard FOLDER COMMAND...`.

As `process_group_guard`; and when mockbot was killed, FOLDER, which holds the rendered files, goes with the system.
"""

import os
import shutil
import sys
from collections.abc import Sequence

from mockbot.process import process_group_guard


def main(argv: Sequence[str]) -> int:
    """Run the command to its end, or to the end of stdin; its exit code."""
    parent = os.getppid()
    code = process_group_guard.main(argv[1:])
    if os.getppid() != parent:  # else mockbot removes it, or starts the system again
        shutil.rmtree(argv[0], ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

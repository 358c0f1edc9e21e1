"""Follow the operator's master through its web UI (the URL of the command line), and exit with the run's verdict.

The operator deletes its Job, and with it the exit code, the moment that Job is over; so this is the Job that stays.
"""

import json
import signal
import sys
import time
import urllib.request
from http.client import HTTPException

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}
NO_TESTBED = 4
GONE_AFTER = 60  # seconds without an answer from a master that has answered before
PAUSE = 1  # seconds between two questions


def main(web_ui: str) -> int:
    answered = None
    while answered is None or time.monotonic() - answered < GONE_AFTER:
        try:
            with urllib.request.urlopen(f"{web_ui}/outage/head", timeout=5) as answer:  # noqa: S310 - the chart's own
                told = json.load(answer)
            answered = time.monotonic()
        except (OSError, ValueError, HTTPException):
            told = {}
        if told.get("error"):
            print(f"mockbot: {told['error']}")  # noqa: T201 - a pod's log
            return NO_TESTBED
        if verdict := told.get("verdict"):
            print("\n".join([verdict["verdict"], *verdict["reasons"], *verdict["expectations"]]))  # noqa: T201
            return EXIT_CODES[verdict["verdict"]]
        time.sleep(PAUSE)  # noqa: TID251 - a program of its own
    print("inconclusive\nthe master has gone without a verdict; was it evicted?")  # noqa: T201
    return EXIT_CODES["inconclusive"]


if __name__ == "__main__":
    # The first process of a container ignores SIGTERM unless it handles it, and would be waited for, for 30 seconds.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1]))

"""Wait until every HOST:PORT of the command line accepts connections."""

import signal
import socket
import sys
import time

GIVE_UP = 900  # seconds; who is not there by then did not begin, and says why in its own log

# The first process of a container ignores SIGTERM unless it handles it, and would be waited for, for 30 seconds.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
until = time.monotonic() + GIVE_UP
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    print(f"waiting for {place}", flush=True)  # noqa: T201 - a pod's log
    while True:
        try:
            socket.create_connection((host, int(port)), 3).close()
            break
        except OSError as error:
            if time.monotonic() > until:
                sys.exit(f"{place} accepts no connections: {error}; see its own log")
            time.sleep(1)  # noqa: TID251 - a program of its own

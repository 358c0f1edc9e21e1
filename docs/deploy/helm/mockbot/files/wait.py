"""Wait until every HOST:PORT of the command line accepts connections; the Job's deadline bounds it."""

import socket
import sys
import time

for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    print(f"waiting for {place}", flush=True)  # noqa: T201 - a pod's log
    while True:
        try:
            socket.create_connection((host, int(port)), 3).close()
            break
        except OSError:
            time.sleep(1)  # noqa: TID251 - a program of its own

"""Make one attempt at each of the given faults on one connection pool; print what the recorder saw, as JSON."""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import json
import sys
from dataclasses import asdict

import gevent
from geventhttpclient.client import HTTPClient

from mockbot.clock import Clock
from mockbot.load.collector import AttemptObservation
from mockbot.load.recorder import RequestTemplate, attempt

DEADLINE = 1.0  # seconds


def main(dialect: str, host: str, port: int, faults: list[str], speed: float) -> None:
    """`fault` or `fault:whole` for an answer that is not streamed."""
    clock = Clock(0.0, speed)
    connection = HTTPClient(host, port, network_timeout=None, connection_timeout=None)  # type: ignore[arg-type]

    def one(fault: str) -> AttemptObservation:
        name, _, how = fault.partition(":")
        if how == "again":  # a hang-up that crosses the next request on the wire is a reset for any client
            gevent.sleep(1.0)
        template = RequestTemplate.of(dialect, f"/{name}", "sk-free-a", "users", stream=how != "whole")
        target = HTTPClient(host, 1) if name == "refused" else connection
        body = template.encode({"model": "m", "messages": [{"role": "user", "content": "When?"}]})
        return attempt(
            target, template.ready(target).outgoing(body, "a.1", 0), clock, clock.now() + clock.scenario(DEADLINE)
        )

    print(json.dumps({fault: asdict(one(fault)) for fault in faults}))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4]), float(sys.argv[5]))

"""The offset that a worker finds from three exchanges with its master, after each; printed as JSON."""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import json
from types import SimpleNamespace
from typing import Any

from mockbot.load import clock_offset
from mockbot.load.clock_offset import CLOCK, ClockOffset, answer_pings


class Runner:
    """Locust's messages, delivered at once to one listener."""

    def __init__(self) -> None:
        self.listener: Any = None
        self.sent: list[tuple[str, Any, Any]] = []

    def register_message(self, kind: str, listener: Any) -> None:
        assert kind == CLOCK
        self.listener = listener

    def send_message(self, kind: str, data: Any, client_id: str | None = None) -> None:
        self.sent.append((kind, data, client_id))


def main() -> None:
    """The master is 1,000 s ahead; its answers take their way back with different delays."""
    worker, master = Runner(), Runner()
    offset = ClockOffset(worker)  # type: ignore[arg-type]
    answer_pings(master)  # type: ignore[arg-type]
    found = []
    for sent, back, received in ((10.0, 0.5, 10.6), (20.0, 0.1, 20.2), (30.0, 0.9, 31.0)):
        vars(clock_offset)["monotonic"] = lambda now=received - back + 1000.0: now
        master.listener(msg=SimpleNamespace(data={"sent": sent}, node_id="worker"))
        vars(clock_offset)["monotonic"] = lambda now=received: now
        kind, data, to = master.sent[-1]
        assert (kind, to) == (CLOCK, "worker")
        worker.listener(msg=SimpleNamespace(data=data))
        found.append(round(offset.reading.offset, 6) if offset.reading else None)
    print(json.dumps(found))  # noqa: T201 - its result


if __name__ == "__main__":
    main()

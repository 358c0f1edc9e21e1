"""How many of two workers count as lost, for each way in which the second one may leave; printed as JSON."""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import json
from types import SimpleNamespace
from typing import Any

from mockbot.load.workers import RemoteWorkers


class Master:
    """As much of Locust's master as RemoteWorkers uses; `away`: ids of the workers that do not answer."""

    def __init__(self) -> None:
        self.away: set[str] = set()

    @property
    def clients(self) -> Any:
        every = [SimpleNamespace(id="first"), SimpleNamespace(id="second")]
        here = [each for each in every if each.id not in self.away]
        missing = [each for each in every if each.id in self.away]
        return SimpleNamespace(all=every, ready=[], spawning=[], running=here, missing=missing)

    def send_message(self, *_: object) -> None:
        """To nobody."""


def batch(final: bool) -> bytes:
    return json.dumps({"node": "a worker", "pending": 0, "started": 1, "final": final}).encode()


def lost(way: str) -> int:
    master = Master()
    workers = RemoteWorkers(master, lambda _: None)  # type: ignore[arg-type]
    for each in ("first", "second"):
        workers.receive(each, batch(final=False))
    if way == "a signal":
        workers.receive("second", batch(final=True))
        master.away = {"second"}
    if way in {"killed", "away for a while"}:
        master.away = {"second"}
    workers.present()
    if way == "away for a while":
        master.away = set()
    workers._closing = True  # as `close` does before it waits for these
    for each in ("first", "second"):
        if way != "killed" or each == "first":
            workers.receive(each, batch(final=True))
    return workers.lost


def main() -> None:
    """Print the number for each way."""
    ways = ("to the end", "a signal", "killed", "away for a while")
    print(json.dumps({way: lost(way) for way in ways}))  # noqa: T201 - its result


if __name__ == "__main__":
    main()

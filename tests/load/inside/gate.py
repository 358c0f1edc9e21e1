"""What a gate for two workers lets through and says, message by message; printed as JSON."""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import io
import json
from contextlib import redirect_stderr, suppress
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

from mockbot.errors import TestbedError
from mockbot.load.introduction import Introduction, WorkerEvent
from mockbot.load.worker_gate import HERE, INTRODUCTION, JOINS_WITHIN, REFUSED, WorkerGate, introduce

OWN = Introduction("here", "0.1.0", "a" * 64, "2.47.0", "b" * 64, "word")
CLOCK = b'{"offset": 5.0, "within": 0.002}'


class Master:
    """As much of Locust's master as the gate uses; whatever reaches Locust is in `heard`."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.refused: list[str] = []
        self.listener: Any = None
        self.here: list[str] = []

    def handle_message(self, id_: str, msg: Any) -> None:
        self.heard.append(f"{id_} {msg.type}")
        if msg.type == "client_ready":
            self.here.append(id_)
        if msg.type == HERE:
            self.listener(msg=msg)

    def register_message(self, kind: str, listener: Any) -> None:
        assert kind == HERE
        self.listener = listener

    def send_message(self, kind: str, data: dict[str, str], client_id: str) -> None:
        assert kind == REFUSED
        self.refused.append(f"{client_id}: {data['says']}")

    @property
    def clients(self) -> Any:
        return SimpleNamespace(ready=[SimpleNamespace(id=id_) for id_ in self.here], spawning=[], running=[])


def silent_master() -> dict[int, str]:
    """What a worker says at its attempt of that number, where it says anything."""
    says = {}
    for retry in range(1, 61):
        runner = SimpleNamespace(master_host="10.0.0.1", master_port=5557, retry=retry, send_message=lambda *_: None)
        with redirect_stderr(io.StringIO()) as said, suppress(SystemExit):
            introduce(runner, OWN)  # type: ignore[arg-type]
        if said.getvalue():
            says[retry] = said.getvalue()
    return says


def main() -> None:
    """Two come, each twice, since a worker repeats itself; six others try. At another gate three come at once."""
    master, events = Master(), list[WorkerEvent]()
    gate = WorkerGate(master, OWN, 2, events.append)  # type: ignore[arg-type]

    def send(id_: str, kind: str, data: Any = None) -> None:
        master.handle_message(id_, SimpleNamespace(type=kind, data=data, node_id=id_))

    def join(id_: str, own: Introduction = OWN) -> None:
        send(id_, INTRODUCTION, asdict(replace(own, host=f"host-{id_}")))
        send(id_, "client_ready", "2.47.0")

    def here(id_: str) -> None:
        send(id_, HERE, {"name": f"worker-{id_}", "clock": CLOCK})

    for id_ in ("a", "a"):
        join(id_)
    here("a")
    join("stranger", replace(OWN, token=""))
    send("plain", "client_ready", "2.47.0")
    send("plain", "stats", {})
    send("plain", "client_ready", "2.47.0")
    send("future", INTRODUCTION, {"host": "host-future", "greeting": 2})
    said = []
    try:
        gate.wait(0.0)
    except TestbedError as error:
        said.append(str(error))
    join("b")
    here("b")
    join("c")
    gate.wait(0.0)
    master.here.remove("b")
    join("d")
    at_once = Master()
    crowded = WorkerGate(at_once, OWN, 2, lambda _: None)  # type: ignore[arg-type]
    for id_ in ("e", "f", "g"):
        message = SimpleNamespace(type=INTRODUCTION, data=asdict(replace(OWN, host=f"host-{id_}")), node_id=id_)
        at_once.handle_message(id_, message)
    crowded._taken["e"] -= JOINS_WITHIN  # it never came
    at_once.handle_message("h", SimpleNamespace(type=INTRODUCTION, data=asdict(OWN), node_id="h"))
    print(json.dumps({"at once": at_once.refused, "heard": master.heard, "refused": master.refused, "wait": said,  # noqa: T201 - its result
                      "events": [[each.does, each.says] for each in events], "silent": silent_master()}))  # fmt: skip


if __name__ == "__main__":
    main()

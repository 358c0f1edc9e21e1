"""Lead the installed Locust's dispatcher through mixes, workers that come and go; print who ran where."""

import json
from typing import Any

from locust import User
from locust.runners import WorkerNode

from mockbot.load.dispatch import Mix
from mockbot.load.locust_private import ExactDispatcher

FREE, PAID, VISITORS = (type(name, (User,), {"weight": 1}) for name in ("free", "paid", "visitors"))
CLASSES: list[type[User]] = [FREE, PAID, VISITORS]


class Stage:
    """A dispatcher, and what it asked for at each step."""

    def __init__(self, *workers: str) -> None:
        self.nodes = {name: WorkerNode(name) for name in workers}
        self.dispatcher = ExactDispatcher(list(self.nodes.values()), CLASSES)
        self.steps: list[dict[str, Any]] = []

    def to(self, free: int, paid: int, visitors: int) -> None:
        counts = {"free": free, "paid": paid, "visitors": visitors}
        self.dispatcher.new_dispatch(sum(counts.values()), 100, Mix(CLASSES, counts))
        self.settle(counts)

    def again(self) -> None:
        """What Locust does when a worker came or went: the same total, no classes."""
        wanted = self.steps[-1]["wanted"]
        self.dispatcher.new_dispatch(sum(wanted.values()), 100)
        self.settle(wanted)

    def settle(self, wanted: dict[str, int]) -> None:
        last = [dict(step) for step in self.dispatcher][-1]
        self.steps.append({"wanted": wanted, "placed": last, "in_progress": self.dispatcher.dispatch_in_progress})


def local() -> Stage:
    """One process, up, down, to nothing and back."""
    stage = Stage("local")
    for mix in ((6, 2, 0), (6, 2, 20), (0, 2, 5), (8, 4, 0), (0, 0, 0), (200, 50, 1), (20, 50, 1)):
        stage.to(*mix)
    return stage


def workers() -> Stage:
    """Two workers, then three, then one."""
    stage = Stage("a", "b")
    for mix in ((6, 3, 0), (7, 3, 0), (4, 3, 7)):
        stage.to(*mix)
    stage.dispatcher.add_worker(WorkerNode("c"))
    stage.again()
    stage.dispatcher.remove_worker(stage.nodes["a"])
    stage.again()
    stage.to(9, 1, 0)
    return stage


def stock() -> int:
    """Without a Mix it is Locust's own dispatcher."""
    stage = Stage("local")
    stage.dispatcher.new_dispatch(9, 100, [FREE])
    return sum(list(stage.dispatcher)[-1]["local"].values())


if __name__ == "__main__":
    result = {"local": local().steps, "workers": workers().steps, "stock": stock()}
    print(json.dumps(result))  # noqa: T201 - its result

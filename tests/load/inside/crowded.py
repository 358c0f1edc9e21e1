"""A user asks three prompts while its process holds 1,100 descriptors; the server closes each connection after two.

Print the outcomes, and how many connections were opened.
"""

import json
import os
from typing import Any

from gevent.server import StreamServer
from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.user_classes import classes_of
from mockbot.load.users import ChatUser
from mockbot.process.self_watch import raise_descriptor_limit
from mockbot.scenario.schema import Group
from tests.load.inside.fast_server import ANSWER

connections: list[Any] = []


def serve(connection: Any, address: Any) -> None:
    """Answer two requests, each of which comes in one piece."""
    connections.append(address)
    for _ in range(2):
        if connection.recv(65536):
            connection.sendall(ANSWER)


def main() -> None:
    """Everything is in this process."""
    raise_descriptor_limit()
    held = [os.dup(0) for _ in range(1100)]
    server = StreamServer(("127.0.0.1", 0), serve)
    server.start()
    clock, records = Clock.start(), list[Attempt | Prompt]()
    group = Group.model_validate({"users": "100%", "policy": "once", "stream": False})
    plan = LoadPlan({"users": group}, {"main": Endpoint(f"http://127.0.0.1:{server.server_port}")})
    generator = LoadGenerator(plan, clock, Collector(clock, records.append))
    user = classes_of([ChatUser], plan, generator)[0](Environment())
    for _ in range(3):
        user.ask()
    outcomes = [record.outcome for record in records if isinstance(record, Attempt)]
    print(json.dumps([len(held), outcomes, len(connections)]))  # noqa: T201 - its result


if __name__ == "__main__":
    main()

"""One user asks a system under test so many prompts, in one of these ways; print every record, as JSON."""

import json
import sys
import time
from urllib.request import Request, urlopen

from locust import HttpUser, User, task
from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.evidence.system_records import SystemAnswer
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan
from mockbot.load.system_client import Answer, Asked
from mockbot.load.user_classes import classes_of, measured
from mockbot.load.users import ChatUser
from mockbot.runs.journal_files import to_line
from mockbot.scenario.schema import Group
from mockbot.testbed.system.system_file import System


class OwnWay(ChatUser):
    """Asks in a way that no file says."""

    abstract = True

    def exchange(self, asked: Asked) -> Answer:
        """Shouts."""
        body = json.dumps({"text": asked.text.upper()}).encode()
        request = Request(f"{asked.url}/ask", body, {**asked.headers, "content-type": "application/json"})  # noqa: S310
        with urlopen(request, timeout=asked.timeout) as response:  # noqa: S310
            return Answer(json.load(response)["answer"], response.status, whole=False)


class OwnTask(ChatUser):
    """Has a task of its own."""

    abstract = True

    @task
    def twice(self) -> None:
        """Two prompts in a row."""


class Plain(HttpUser):
    """Knows nothing of mockbot; looks at a page first."""

    @task
    def look_and_ask(self) -> None:
        """A GET, which is no prompt, and a POST, which is one."""
        self.client.get("/")
        self.client.post("/ask", json={"text": "How long?", "kind": "short"})


class Impatient(HttpUser):
    """Asks what hangs."""

    path = "/late"

    @task
    def ask(self) -> None:
        """The answer comes too late, or not whole."""
        self.client.post(self.path, json={"text": "How long?"})


class CutOff(Impatient):
    """Asks what breaks off."""

    path = "/cut"


USERS: dict[str, type[User]] = {
    "file": ChatUser,
    "exchange": OwnWay,
    "task": OwnTask,
    "plain": Plain,
    "impatient": Impatient,
    "cut_off": CutOff,
}


def main(system: str, way: str, prompts: int) -> None:
    """`system`: its JSON."""
    records: list[Attempt | Prompt | SystemAnswer] = []
    described = System.model_validate_json(system)
    group = Group.model_validate({"users": "100%", "policy": {"name": "once", "timeout": "2s"}, "patience": "2s"})
    endpoints = {"main": Endpoint(str(described.url))}
    plan = LoadPlan({"users": group}, endpoints, system=described, run="a-run")
    clock = Clock(time.time())
    generator = LoadGenerator(plan, clock, Collector(clock, records.append, records.append))
    base = measured(USERS[way], system=True)
    assert base is not None
    user = classes_of([base], plan, generator)[0](Environment())
    for _ in range(prompts):
        if isinstance(user, ChatUser):
            user.ask()
        elif isinstance(user, Plain):
            user.look_and_ask()
        elif isinstance(user, Impatient):
            user.ask()
    tasks = [getattr(each, "__name__", "") for each in USERS[way].tasks]
    print(json.dumps({"tasks": tasks, "records": [json.loads(to_line(record)) for record in records]}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

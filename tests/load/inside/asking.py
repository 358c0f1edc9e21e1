"""One user of a given group asks so many prompts at one fault; print every record that it leaves, as JSON."""

import json
import sys
import time

from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.node import Cast, Node, Place, nothing_said
from mockbot.load.page import Page
from mockbot.load.roles import classes_of
from mockbot.load.users import ChatUser
from mockbot.runs.journal_files import to_line
from mockbot.scenario.schema import Group


def main(url: str, group: str, prompts: int, page: str = "") -> None:
    """`url`: of the fault; `group`: JSON of a scenario's group; `page`: URL of the status page."""
    records: list[Attempt | Prompt] = []
    clock = Clock(time.time())
    status = Page(page, clock, ()).read if page else nothing_said
    cast = Cast({"users": Group.model_validate_json(group)}, {"main": Place(url)}, status=status)
    node = Node(cast, clock, Collector(clock, records.append))
    user = classes_of([ChatUser], cast, node)[0](Environment())
    for _ in range(prompts):
        user.ask()
    print(json.dumps([json.loads(to_line(record)) for record in records]))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])

"""One user of a given group asks so many prompts at one fault; print every record that it leaves, as JSON."""

import json
import sys

from locust.env import Environment

from mockbot.clock import Clock
from mockbot.evidence.records import Attempt, Prompt
from mockbot.load.collector import Collector
from mockbot.load.load_generator import Endpoint, LoadGenerator, LoadPlan, no_status_page
from mockbot.load.status_page_client import StatusPageClient
from mockbot.load.user_classes import classes_of
from mockbot.load.users import ChatUser
from mockbot.runs.journal_files import to_line
from mockbot.scenario.schema import Group


def main(url: str, group: str, prompts: int, page: str = "") -> None:
    """`url`: of the fault; `group`: JSON of a scenario's group; `page`: URL of the status page."""
    records: list[Attempt | Prompt] = []
    clock = Clock.start()
    status = StatusPageClient(page, clock, ()).read if page else no_status_page
    plan = LoadPlan({"users": Group.model_validate_json(group)}, {"main": Endpoint(url)}, status=status)
    generator = LoadGenerator(plan, clock, Collector(clock, records.append))
    user = classes_of([ChatUser], plan, generator)[0](Environment())
    for _ in range(prompts):
        user.ask()
    print(json.dumps([json.loads(to_line(record)) for record in records]))  # noqa: T201 - its result


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])

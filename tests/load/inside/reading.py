"""What a reader of each of the given status pages sees, in the words of the given scenario; printed as JSON."""

import json
import sys

from mockbot.clock import Clock
from mockbot.load.status_page_client import StatusPageClient
from mockbot.scenario.schema import StatusUpdate


def main(t0: float, speed: float, said: str, urls: list[str]) -> None:
    """`said`: JSON of the scenario's updates."""
    updates = [StatusUpdate.model_validate(update) for update in json.loads(said)]
    states = [StatusPageClient(url, Clock(0.0, speed, t0), updates).read() for url in urls]
    seen = [state and {"since": state.since, **state.update.model_dump(mode="json")} for state in states]
    print(json.dumps(seen))  # noqa: T201 - its result


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:])

"""The web UI's answers to requests of its own page, of a program, and of other sites; printed as JSON."""

# ruff: noqa: I001 - locust first: it patches this process, as it does in a run
import locust  # noqa: F401

import json

from locust.argument_parser import get_parser
from locust.env import Environment

from mockbot.load.web_ui.dashboard_state import View
from mockbot.load.web_ui.routes import Pages

EVIL = {"Origin": "https://evil.example"}
REQUESTS = {
    "a program": ("/swarm", {}),
    "its page": ("/swarm", {"Origin": "http://127.0.0.1:8089"}),
    "another site": ("/swarm", EVIL),
    "another name": ("/swarm", {"Host": "evil.example:8089"}),
    "another site asks": ("/outage/head", EVIL),
}


def main() -> None:
    """Print the status of each; the choice of a scenario shows what a start has reached."""
    parsed = get_parser(default_config_files=[]).parse_args(["--web-host", "127.0.0.1"])
    environment = Environment(user_classes=[], parsed_options=parsed)
    environment.create_local_runner()
    web_ui = environment.create_web_ui("127.0.0.1", 8089, delayed_start=True)
    chosen: list[str | None] = []
    Pages(web_ui, View(), lambda: 0.0, chosen.append, system=False)
    assert web_ui.app is not None
    client, told = web_ui.app.test_client(), {}
    for name, (path, headers) in REQUESTS.items():
        chosen.clear()
        call = client.post if path == "/swarm" else client.get
        form = {"scenario": "x", "user_count": "0", "spawn_rate": "1"} if path == "/swarm" else None
        answer = call(path, data=form, headers={"Host": "127.0.0.1:8089", **headers})
        told[name] = [answer.status_code == 403, bool(chosen)]
    print(json.dumps(told))  # noqa: T201 - its result


if __name__ == "__main__":
    main()

"""`python -m mockbot.service SCENARIO.json [--speed N] [--host H] [--lease-stdin]`: serve a resolved scenario's
providers.

Prints one line of JSON with every address once all of them listen; leaves at SIGINT, SIGTERM, or (leased) at the end
of stdin.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path

from mockbot.clock import Clock
from mockbot.leased import new_loop, time_to_leave
from mockbot.scenario.schema import Scenario
from mockbot.service.server import Ready, serve


def main() -> None:
    """The command line of this child process."""
    parser = argparse.ArgumentParser(prog="python -m mockbot.service", description=__doc__)
    parser.add_argument("scenario", type=Path, help="a resolved scenario, as JSON")
    parser.add_argument("--speed", type=float, help="scenario seconds per second; the scenario's own when not given")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to bind; anything but loopback makes control ask for a token"
    )
    parser.add_argument("--lease-stdin", action="store_true", help="leave when stdin ends")
    options = parser.parse_args()
    scenario = Scenario.model_validate_json(options.scenario.read_text("utf-8"))
    clock = Clock(time.time(), options.speed or scenario.speed)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_run(scenario, clock, options.host, options.lease_stdin))


async def _run(scenario: Scenario, clock: Clock, host: str, leased: bool) -> None:
    await serve(scenario, clock, host, _announce, time_to_leave(leased=leased))


def _announce(ready: Ready) -> None:
    print(json.dumps(asdict(ready)), flush=True)  # noqa: T201 - this line is the contract


if __name__ == "__main__":
    main()

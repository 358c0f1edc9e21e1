"""`python -m mockbot.service SCENARIO [--speed N] [--host H] [--port-base P] [--token-file F] [--lease-stdin]`.

Serves the providers of a scenario: a bundled one, a file, or a resolved one as JSON (`-`: a line of stdin). Prints one
line of JSON with every address once all of them listen; ends at SIGINT, SIGTERM, or (leased) at the end of stdin.
"""

import argparse
import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

from mockbot.clock import Clock
from mockbot.errors import MockbotError
from mockbot.process.event_loop import new_event_loop, stop_event
from mockbot.process.lifeline import report_ready
from mockbot.process.self_watch import raise_descriptor_limit
from mockbot.process.token_file import read_or_create_token
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.service.frozen_heap import freeze_heap
from mockbot.service.provider_server import BindOptions, ServiceAddresses, serve
from mockbot.upstream.settings import NO_UPSTREAMS, UpstreamSettings


def main() -> None:
    """The command line of this child process."""
    options = _parser().parse_args()
    raise_descriptor_limit()
    settings = NO_UPSTREAMS
    try:
        if options.scenario == "-":
            scenario = Scenario.model_validate_json(sys.stdin.buffer.readline())
            if options.upstreams_stdin:
                settings = UpstreamSettings.model_validate_json(sys.stdin.buffer.readline())
        elif options.scenario.endswith(".json"):
            scenario = Scenario.model_validate_json(Path(options.scenario).read_text("utf-8"))
        else:
            scenario = load_scenario(find(options.scenario))
        token = None if options.token_file is None else read_or_create_token(options.token_file)
        bind = BindOptions(options.host, options.port_base, token)
        clock = Clock.start(options.speed or scenario.speed)

        async def run() -> None:
            await serve(scenario, clock, bind, _announce, stop_event(leased=options.lease_stdin), settings)

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run())
    except MockbotError as error:
        print(f"mockbot: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mockbot.service", description=__doc__)
    add = parser.add_argument
    add("scenario", metavar="SCENARIO", help="a bundled scenario, a file, or a resolved one as FILE.json or - (stdin)")
    add("--speed", type=float, help="scenario seconds per second; the scenario's own when not given")
    add("--host", default="127.0.0.1", help="address to bind; control requires a token on any but loopback")
    add(
        "--port-base", type=int, default=0, metavar="P",
        help="control listens on P, the status page on P+1, the providers from P+2 on; any free ports when not given",
    )  # fmt: skip
    add("--token-file", type=Path, metavar="F", help="file with control's token; created when it is missing")
    add("--upstreams-stdin", action="store_true", help="a second line of stdin says where upstreams and replays are")
    add("--lease-stdin", action="store_true", help="end when stdin ends")
    return parser


def _announce(addresses: ServiceAddresses) -> None:
    freeze_heap()
    report_ready(asdict(addresses))


if __name__ == "__main__":
    main()

"""What Locust's command line and start form say, as one frozen value."""

import argparse
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from locust.argument_parser import LocustArgumentParser

from mockbot.errors import UsageError
from mockbot.scenario.library import names
from mockbot.stage import Elsewhere

PLAIN = "none"  # how a command line or a form says: no scenario, a plain load test


class _Suggestions(tuple[str, ...]):
    """Choices of the start form's drop-down that a command line may go beyond, with a file."""

    __slots__ = ()

    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Options:
    """`scenario` empty: a plain load test of `host`. `stage`: addresses of a scene that someone else has set up."""

    scenario: str = ""
    speed: float | None = None
    out: Path | None = None
    stage: Path | None = None
    model: str = "mockbot"
    api_key: str | None = None
    host: str | None = None
    elsewhere: Elsewhere | None = None  # parts of the stage that run already; their token is in `token_file`
    token_file: Path | None = None

    @classmethod
    def of(cls, parsed: Namespace) -> "Options":
        """From Locust's own. Raises UsageError."""
        return cls(
            scenario=scenario_of(parsed.scenario),
            speed=_speed(parsed.speed),
            out=Path(parsed.out) if parsed.out else None,
            stage=Path(parsed.stage) if parsed.stage else None,
            model=parsed.model,
            api_key=parsed.api_key or None,
            host=parsed.host or None,
            elsewhere=_elsewhere(parsed),
            token_file=Path(parsed.token_file) if parsed.token_file else None,
        )


def scenario_of(said: str) -> str:
    """The scenario that was asked for; empty for a plain load test."""
    return "" if said == PLAIN else said


def add_options(parser: LocustArgumentParser, scenario: str = "") -> None:
    """Add ours to Locust's. `scenario`: one to offer beside the bundled ones."""
    add = parser.add_argument
    add(
        "--scenario",
        default=PLAIN,
        choices=_Suggestions(dict.fromkeys((PLAIN, *names(), *([scenario] if scenario else [])))),
        metavar="NAME|FILE",
        help="Outage to play: a bundled scenario or a file. Without it: a plain load test of --host.",
    )
    add("--speed", default="", metavar="N", help="Scenario seconds per second; the scenario's own when not given.")
    add("--model", default="mockbot", metavar="NAME", help="Model to ask for in a plain load test.")
    add(
        "--api-key",
        default="",
        metavar="KEY",
        env_var="OPENAI_API_KEY",
        is_secret=True,
        help="API key of a plain load test.",
    )
    add(
        "--out",
        default="",
        metavar="DIR",
        include_in_web_ui=False,
        help="Run folder; runs/<time>-<scenario> when not given.",
    )
    add("--stage", default="", include_in_web_ui=False, help=argparse.SUPPRESS)
    for name in ("--service", "--toxiproxy-url", "--token-file"):  # see docker-compose.yml
        add(name, default="", include_in_web_ui=False, help=argparse.SUPPRESS)
    add("--proxy-ports", type=int, default=0, include_in_web_ui=False, help=argparse.SUPPRESS)


def _elsewhere(parsed: Namespace) -> Elsewhere | None:
    if bool(parsed.service) != bool(parsed.toxiproxy_url):
        raise UsageError("--service and --toxiproxy-url belong together: a stage that runs elsewhere has both")
    if not parsed.service:
        return None
    return Elsewhere(parsed.service, parsed.toxiproxy_url, ports=parsed.proxy_ports)


def _speed(text: str) -> float | None:
    if not text:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1000:
        raise UsageError(f"--speed {text}: write a number above 0 and up to 1000, like 20")
    return speed

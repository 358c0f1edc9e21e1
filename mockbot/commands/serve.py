"""`mockbot serve`: a Scenario in, its outage played with no load until Ctrl-C; point any client at what is printed."""

import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from mockbot.commands.phase_controller import PhaseController, known
from mockbot.commands.serve_api import serve_api
from mockbot.errors import ExitCode
from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.scenario.schema import Scenario
from mockbot.testbed.client_environment import environment
from mockbot.testbed.start import Addresses, open_testbed


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line asks. `speed` None: the scenario's own; `port`: the first provider's, the others follow."""

    speed: float | None = None
    loop: bool = False
    start_at: str | None = None
    hold: str | None = None
    port: int | None = None
    control_port: int = 0


def serve(scenario: Scenario, options: ServeOptions, console: Console) -> ExitCode:
    """Play until Ctrl-C. Raises UsageError for a phase that is not there, TestbedError when nothing can be put up."""
    for phase in filter(None, (options.start_at, options.hold)):
        known(scenario, phase)
    speed = options.speed or scenario.speed
    say = _speaker(console)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mockbot-") as logs,
            open_testbed(scenario, speed, Path(logs)) as opened,
        ):
            addresses = opened if options.port is None else _listening_from(opened, options.port)
            controller = PhaseController(scenario, addresses, options.loop, say)
            with closing(controller), serve_api(controller, options.control_port) as control:
                _tell_addresses(scenario, addresses, control, say)
                controller.play(options.start_at or scenario.phases[0].name, options.hold)
    except KeyboardInterrupt:
        say("stopped")
    return ExitCode.INTERRUPTED


def _speaker(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    return say


def _tell_addresses(scenario: Scenario, addresses: Addresses, control: str, say: Callable[[str], None]) -> None:
    say(f"{scenario.title}\n")
    for name, value in environment(scenario, addresses, os.environ).items():
        if name.isupper():
            say(f"export {name}={value}")
    say(f"\nwhere it is:             curl {control}")
    say(f"step through its phases: curl -X POST {control}/next    (or /go, or /phase/NAME)\n")


def _listening_from(addresses: Addresses, port: int) -> Addresses:
    """The providers' proxies moved to ports of the user's choice."""
    providers = {}
    with closing(ToxicControl(addresses.proxy_control)) as control:
        for offset, (provider, proxy) in enumerate(addresses.proxies.items()):
            host = urlsplit(addresses.providers[provider]).hostname
            providers[provider] = f"http://{control.update_proxy(proxy, listen=f'{host}:{port + offset}').listen}"
    return replace(addresses, providers=providers)

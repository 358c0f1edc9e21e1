"""`mockbot serve`: a Scenario in, its outage without load until Ctrl-C; any client can use the printed addresses."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mockbot.commands.phase_controller import PhaseController, require_phase
from mockbot.commands.recording import Recording
from mockbot.commands.serve_api import serve_api
from mockbot.errors import ExitCode
from mockbot.evidence.unserved import sentences
from mockbot.interception.plan import told
from mockbot.observability.phase_hook import told_phases
from mockbot.process.stop_signals import first_signal_calls
from mockbot.scenario.schema import Scenario
from mockbot.scenario.transforms import without_system
from mockbot.testbed.client_environment import environment
from mockbot.testbed.start import on_ports, open_testbed
from mockbot.upstream.settings import NO_UPSTREAMS, UpstreamSettings


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The command line. `speed` None: the scenario's own; `port`: the first provider's, the others use the next.

    `hold` begins with that phase where `start_at` does not say otherwise; `record`: the run folder.
    """

    speed: float | None = None
    loop: bool = False
    start_at: str | None = None
    hold: str | None = None
    port: int | None = None
    control_port: int = 0
    record: Path | None = None
    hosts: Mapping[str, str] | None = None  # to intercept (mockbot.interception.plan); None: by base URLs
    tls: bool = False  # the providers' URLs are https
    upstreams: UpstreamSettings = NO_UPSTREAMS
    on_phase: str | None = None  # URL or command of a hook


def serve_command(scenario: Scenario, options: ServeOptions, console: Console) -> ExitCode:
    """Serve until Ctrl-C. Raises UsageError for an unknown phase, TestbedError when the testbed cannot start."""
    without_system(scenario, "nothing is started here but the providers")
    for phase in filter(None, (options.start_at, options.hold)):
        require_phase(scenario, phase)

    def echo(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    speed = options.speed or scenario.speed
    controller: PhaseController | None = None
    try:
        started = open_testbed(scenario, speed, None, hosts=options.hosts, tls=options.tls, upstreams=options.upstreams)
        with told_phases(options.on_phase, scenario.name, echo) as tell, started as opened:
            addresses = opened if options.port is None else on_ports(opened, options.port)
            recording = None if options.record is None else Recording(scenario, addresses, options.record)
            controller = PhaseController(scenario, addresses, options.loop, echo, recording, tell)
            api = serve_api(controller, options.control_port)
            ends = first_signal_calls(controller.stop)
            with _written(recording, console), closing(controller), api as control, ends:
                echo(f"{scenario.title}\n")
                for line in told(scenario, options.hosts):
                    echo(line)
                for name, value in environment(scenario, addresses, os.environ).items():
                    if name.isupper():  # not no_proxy, which repeats NO_PROXY
                        echo(f"export {name}={shlex.quote(value)}")
                echo(f"\nwhere it is:             curl {control}")
                echo(f"step through its phases: curl -X POST {control}/next    (or /go, or /phase/NAME)\n")
                controller.run(options.start_at or options.hold or scenario.phases[0].name, options.hold)
    except KeyboardInterrupt:  # before all of it was up, or a second one
        pass
    for sentence in sentences(controller.unserved, scenario) if controller is not None else ():
        echo(sentence)
    echo("stopped")
    return ExitCode.INTERRUPTED


@contextmanager
def _written(recording: Recording | None, console: Console) -> Iterator[None]:
    """The recording's folder, whatever ends the block."""
    try:
        yield
    finally:
        if recording is not None:
            recording.write(console)

"""The commands that play an outage, and those that judge what was played."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockbot.cli.group import cli
from mockbot.cli.options import (
    EXISTING_FILE,
    EXIT_CODES,
    FILE,
    FOLDER,
    INTERCEPT,
    INTERCEPT_HOST,
    METRICS_PORT,
    ON_PHASE,
    OTEL,
    PORT,
    PROXY,
    RUN_FOLDER,
    SPEED,
    TARGET,
    TLS,
    console,
    scenario_of,
    upstream_options,
)
from mockbot.dialects.client_identity import command_text
from mockbot.errors import UsageError

if TYPE_CHECKING:
    from mockbot.testbed.start import Engine
    from mockbot.upstream.settings import UpstreamSettings


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--speed", type=SPEED, help="Scenario seconds per wall-clock second; default: from the file.")
@click.option("--ui", is_flag=True, help="Watch the run in Locust's web UI.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Load generator processes.")
@click.option("--workers", type=click.IntRange(1, 64), help="Make the load on other machines: so many workers come.")
@click.option("--bind", metavar="ADDRESS", help="Of --workers: the address of this machine to which they come.")
@click.option("--wait", metavar="DURATION", help="Of --workers: how long, at most; default: 60s.")
@click.option("--out", type=FOLDER, help="Run folder; default: runs/<time>-<scenario>.")
@click.option("--locustfile", type=EXISTING_FILE, help="Locustfile to use instead of chat.py.")
@click.option("--proxy", type=PROXY, default="embedded", show_default=True, help="Fault proxy.")
@click.option("--toxiproxy-url", metavar="URL", help="Use the Toxiproxy that runs there; implies --proxy toxiproxy.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the first provider; the others use the next ones.")
@click.option(
    "--system",
    metavar="FILE|URL|COMMAND",
    help="Your own application or gateway between the crowd and the providers; see loadtests/systems/.",
)
@click.option("--length", metavar="DURATION", help="Shorten the outage to this; clients keep their own clock.")
@click.option(
    "--seed", type=int, help="Draw this crowd again; default: another one each time, the first with the file's seed."
)
@click.option(
    "--set", "changes", multiple=True, metavar="PATH=VALUE", help="Change a value, as phase.blackout.lasts=5m."
)
@click.option(
    "--allow", "allowed", multiple=True, metavar="FINDING",
    help="A finding that must not fail the run (repeatable), e.g. does_not_back_off or launders_truncation.",
)  # fmt: skip
@INTERCEPT
@INTERCEPT_HOST
@click.option("--sealed", is_flag=True, help="Let COMMAND reach only what it asks by the proxy; implies --intercept.")
@TLS
@OTEL
@METRICS_PORT
@ON_PHASE
@click.option("--record", multiple=True, metavar="NAME=FILE", help="Record a real provider's answers.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@upstream_options(os.environ)
def run(
    target: str, command: tuple[str, ...], intercept: bool, intercept_hosts: tuple[str, ...], sealed: bool,
    speed: float | None, ui: bool, processes: int, out: Path | None,
    locustfile: Path | None, proxy: "Engine", toxiproxy_url: str | None, allowed: tuple[str, ...],
    port: int | None, system: str | None, length: str | None, seed: int | None, changes: tuple[str, ...],
    tls: bool, workers: int | None, bind: str | None, wait: str | None, otel: str | None, metrics_port: int | None,
    on_phase: str | None,
    upstreams: "UpstreamSettings",
) -> None:  # fmt: skip
    """Run an outage live and judge how the clients cope.

    The clients are a crowd of simulated users, as the scenario describes them.

    With --system the crowd asks your own application or gateway, which asks the providers; the verdict compares what
    its users saw with what the providers saw.

    With `-- COMMAND` your own program is the client, in any language. It finds the provider in its environment
    (OPENAI_BASE_URL and the like) and is judged by its requests, as the service and the proxy see them. With
    --intercept it needs no base URL: what it sends to api.openai.com and other public hosts comes here.
    """
    from mockbot.commands.changed_scenario import changed_scenario
    from mockbot.commands.run_observers import Observing
    from mockbot.interception.plan import intercepted_hosts

    if command:
        if toxiproxy_url or proxy != "embedded":
            raise UsageError(
                "--proxy cannot be combined with `-- COMMAND`: "
                "only the embedded proxy reports which connections a fault hit; leave it out"
            )
        if system is not None or not (port is seed is metrics_port is None):
            raise UsageError(
                "--system, --port, --seed and --metrics-port are for a run with mockbot's own crowd; "
                "leave them out for `-- COMMAND`"
            )
        if workers is not None or bind is not None or wait is not None:
            raise UsageError(
                "--workers, --bind and --wait are for a run with mockbot's own crowd; leave them out for `-- COMMAND`"
            )
        from mockbot.commands.external_client import ClientOptions, run_client_command

        scenario, observing = changed_scenario(target, changes, length)[0], Observing(otel, on_phase=on_phase)
        hosts = intercepted_hosts(scenario, intercept_hosts) if intercept or intercept_hosts or sealed else None
        client = ClientOptions(command, speed, out, allowed, hosts, sealed, tls, upstreams, observing)
        sys.exit(run_client_command(scenario, client, console()))
    if sealed or (system is None and (intercept or intercept_hosts)):
        raise UsageError("--intercept is for a program that does not know mockbot; add `-- COMMAND` (or --system)")
    if allowed and system is None:
        raise UsageError(
            "anti-patterns of the built-in crowd are reported and fail no run; --allow needs `-- COMMAND` or --system"
        )
    from mockbot.commands.check import print_warnings
    from mockbot.commands.run import RunOptions, run_command
    from mockbot.commands.worker import Elsewhere
    from mockbot.runs.crowd_seed import crowd_seed
    from mockbot.testbed.start import ProxyChoice
    from mockbot.testbed.system.system_file import read_system

    scenario, text = changed_scenario(target, changes, length)
    if not any(change.partition("=")[0] == "seed" for change in changes):
        scenario = scenario.model_copy(update={"seed": crowd_seed(scenario, out) if seed is None else seed})
    elif seed is not None:
        raise UsageError("--seed and --set seed; give one of them")
    if not changes and length is None and system is None:  # the warnings name lines of the file
        from mockbot.scenario.library import find

        print_warnings(find(target), speed)
    choice = ProxyChoice("toxiproxy" if toxiproxy_url else proxy, toxiproxy_url)
    hosts = intercepted_hosts(scenario, intercept_hosts) if intercept or intercept_hosts else None
    options = RunOptions(
        speed, out, processes, ui, locustfile, choice, command_text(["mockbot", *sys.argv[1:]]), port,
        read_system(system) if system is not None else None, text, allowed, hosts=hosts, tls=tls, upstreams=upstreams,
        elsewhere=Elsewhere.of(workers, bind, wait),
        observing=Observing(otel, metrics_port, on_phase),
    )  # fmt: skip
    sys.exit(run_command(scenario, options, console()))


@cli.command()
@click.argument("master", metavar="HOST[:PORT]")
@click.option("--locustfile", type=EXISTING_FILE, help="A copy of the run's own locustfile, when it has one.")
def worker(master: str, locustfile: Path | None) -> None:
    """Make a share of the load of a run on another machine.

    Start it with the line that `mockbot run --workers N --bind ADDRESS` prints there. The scenario comes from the run.
    """
    from mockbot.commands.worker import become_worker

    become_worker(master, locustfile)


@cli.command()
@TARGET
@click.option("--speed", type=SPEED, help="As for run.")
@click.option("--loop", is_flag=True, help="Repeat the outage until interrupted.")
@click.option("--start-at", metavar="PHASE", help="Start at this phase.")
@click.option("--hold", metavar="PHASE", help="Start at this phase and do not end it; the control API can.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the first provider; the others use the next ones.")
@click.option("--control-port", type=PORT, default=0, help="Port of the control API; 0: any free one.")
@INTERCEPT
@INTERCEPT_HOST
@TLS
@ON_PHASE
@click.option(
    "--record",
    multiple=True,
    metavar="FOLDER|NAME=FILE",
    help="Run folder for what clients do, judged at the end; or record a real provider's answers.",
)
@upstream_options(os.environ, folder=True)
def serve(
    target: str,
    speed: float | None,
    loop: bool,
    start_at: str | None,
    hold: str | None,
    port: int | None,
    control_port: int,
    record: Path | None,
    intercept: bool,
    intercept_hosts: tuple[str, ...],
    tls: bool,
    on_phase: str | None,
    upstreams: "UpstreamSettings",
) -> None:
    """Serve an outage without load.

    Point any client, in any language, at the printed addresses.
    """
    from mockbot.commands.serve import ServeOptions, serve_command
    from mockbot.interception.plan import intercepted_hosts

    scenario = scenario_of(target)
    hosts = intercepted_hosts(scenario, intercept_hosts) if intercept or intercept_hosts else None
    options = ServeOptions(speed, loop, start_at, hold, port, control_port, record, hosts, tls, upstreams, on_phase)
    sys.exit(serve_command(scenario, options, console()))


@cli.command("proxy", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def proxy_(flags: tuple[str, ...]) -> None:
    """Run only the embedded proxy, with Toxiproxy's control API."""
    from mockbot.proxy.proxy_server import main as serve_proxy

    sys.exit(serve_proxy(flags))


@cli.command(epilog=EXIT_CODES)
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
def report(run_folder: Path) -> None:
    """Judge a finished run again from the files in its folder."""
    from mockbot.runs.folder import RunFolder
    from mockbot.runs.judge import conclude

    sys.exit(conclude(RunFolder(run_folder), console()))


@cli.command(epilog=EXIT_CODES)
@click.argument("first", type=RUN_FOLDER)
@click.argument("second", type=RUN_FOLDER)
@click.option("--page", type=FILE, help="Where to write the page; default: into SECOND.")
def compare(first: Path, second: Path, page: Path | None) -> None:
    """Compare two runs of a scenario beyond what chance explains.

    Exits with 1 if SECOND is worse in any measure, with 3 if the runs say too little to tell. If their phases differ,
    those with the same name and length are compared.
    """
    from mockbot.runs.folder import RunFolder
    from mockbot.runs.judge import compare_runs

    sys.exit(compare_runs(RunFolder(first), RunFolder(second), page, console()))

"""The command line: options in, one frozen value of them, one call, its exit code out.

A command imports what it calls in its own body, so that `mockbot --help` does not wait for plotting, numba or Locust.
"""

import os
import shlex
import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockbot.commands.upstream_options import upstream_options
from mockbot.errors import UsageError
from mockbot.report.plain_console import PlainConsole
from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.scaffold import CAUSES, FEWEST, MOST
from mockbot.scenario.scaffold_failures import BROKE
from mockbot.testbed.start import Engine, ProxyChoice
from mockbot.version import __version__

if TYPE_CHECKING:
    from mockbot.simulate.engines import EngineName
    from mockbot.testbed.start import Engine
    from mockbot.upstream.settings import UpstreamSettings


class Number(click.FloatRange):
    """A number within a range. NaN is in none; click's own range lets it through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As click has it."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value} is not a number", param, ctx)
        return number


SPEED = Number(min=0, min_open=True, max=1000)
PORT = click.IntRange(0, 65535)
PROXY = click.Choice(["embedded", "toxiproxy"])
ENGINE = click.Choice(["auto", "reference", "fast"])
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
RUN_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
INTERCEPT = click.option(
    "--intercept", is_flag=True, help="Intercept the client's requests to public hosts; it needs no base URL."
)
INTERCEPT_HOST = click.option(
    "--intercept-host", "intercept_hosts", multiple=True, metavar="HOST=PROVIDER",
    help="Intercept this host, too (repeatable); implies --intercept.",
)  # fmt: skip
TARGET = click.argument("target", metavar="NAME|FILE")
TLS = click.option("--tls", is_flag=True, help="Serve the providers as https URLs, with a CA of this run.")
EXIT_CODES = """
\b
Exit codes: 0 pass, 1 expectations failed, 2 wrong usage or scenario file,
3 inconclusive, 4 the testbed could not run, 130 interrupted.
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mockbot")
def cli() -> None:
    """Rehearse the outage of a chatbot API before your users live through it.

    A scenario file says what fails and when. mockbot produces that outage on real sockets, sends a crowd of clients
    through it, and measures how well they cope. Start with: mockbot run unexpected-failure
    """


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--speed", type=SPEED, help="Scenario seconds per wall-clock second; default: from the file.")
@click.option("--ui", is_flag=True, help="Watch the run in Locust's web UI.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Load generator processes.")
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
@click.option("--record", multiple=True, metavar="NAME=FILE", help="Record a real provider's answers.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@upstream_options(os.environ)
def run(
    target: str, command: tuple[str, ...], intercept: bool, intercept_hosts: tuple[str, ...], sealed: bool,
    speed: float | None, ui: bool, processes: int, out: Path | None,
    locustfile: Path | None, proxy: "Engine", toxiproxy_url: str | None, allowed: tuple[str, ...],
    port: int | None, system: str | None, length: str | None, seed: int | None, changes: tuple[str, ...],
    tls: bool,
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
    from mockbot.interception.plan import intercepted_hosts

    if command:
        if toxiproxy_url or proxy != "embedded":
            raise UsageError(
                "--proxy cannot be combined with `-- COMMAND`: "
                "only the embedded proxy reports which connections a fault hit"
            )
        if system is not None or port is not None or seed is not None:
            raise UsageError("--system, --port and --seed are for a run with mockbot's own crowd, not for `-- COMMAND`")
        from mockbot.commands.external_client import ClientOptions, run_client_command

        scenario = changed_scenario(target, changes, length)[0]
        hosts = intercepted_hosts(scenario, intercept_hosts) if intercept or intercept_hosts or sealed else None
        client = ClientOptions(command, speed, out, allowed, hosts, sealed, tls, upstreams)
        sys.exit(run_client_command(scenario, client, PlainConsole()))
    if sealed or (system is None and (intercept or intercept_hosts)):
        raise UsageError("--intercept is for a program that does not know mockbot: add `-- COMMAND` (or --system)")
    if allowed and system is None:
        raise UsageError(
            "--allow needs `-- COMMAND` or --system: anti-patterns of the built-in crowd are reported and fail no run"
        )
    from mockbot.commands.check import print_warnings
    from mockbot.commands.run import RunOptions, run_command
    from mockbot.runs.crowd_seed import crowd_seed
    from mockbot.testbed.system.system_file import read_system

    scenario, text = changed_scenario(target, changes, length)
    if not any(change.partition("=")[0] == "seed" for change in changes):
        scenario = scenario.model_copy(update={"seed": crowd_seed(scenario, out) if seed is None else seed})
    elif seed is not None:
        raise UsageError("--seed and --set seed: give one of them")
    if not changes and length is None and system is None:  # the warnings name lines of the file
        print_warnings(find(target), speed)
    choice = ProxyChoice("toxiproxy" if toxiproxy_url else proxy, toxiproxy_url)
    hosts = intercepted_hosts(scenario, intercept_hosts) if intercept or intercept_hosts else None
    options = RunOptions(
        speed, out, processes, ui, locustfile, choice, shlex.join(["mockbot", *sys.argv[1:]]), port,
        read_system(system) if system is not None else None, text, allowed, hosts=hosts, tls=tls, upstreams=upstreams,
    )  # fmt: skip
    sys.exit(run_command(scenario, options, PlainConsole()))


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
    upstreams: "UpstreamSettings",
) -> None:
    """Serve an outage without load.

    Point any client, in any language, at the printed addresses.
    """
    from mockbot.commands.serve import ServeOptions, serve_command
    from mockbot.interception.plan import intercepted_hosts

    scenario = load_scenario(find(target))
    hosts = intercepted_hosts(scenario, intercept_hosts) if intercept or intercept_hosts else None
    options = ServeOptions(speed, loop, start_at, hold, port, control_port, record, hosts, tls, upstreams)
    sys.exit(serve_command(scenario, options, PlainConsole()))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--users", type=Number(min=1), help="Users at the peak; capacity and arrivals are scaled in proportion.")
@click.option(
    "--seeds", type=int, default=1, show_default=True, help="Number of runs, or of runs of each point of a sweep."
)
@click.option(
    "--compare", "policies", multiple=True, metavar="POLICY",
    help="Also simulate the scenario with every user on POLICY (repeatable) and print both side by side.",
)  # fmt: skip
@click.option(
    "--engine", type=ENGINE, default="auto", help="Simulation engine; auto (the default) takes fast for large crowds."
)
@click.option("--out", type=FOLDER, help="As for run.")
@click.option(
    "--sweep", "sweeps", multiple=True, metavar="AXIS=FROM..TO[/STEPS]",
    help="Simulate a grid over this axis, or over two (repeatable): users, arrivals, refresh, outage, slots, queue or "
    "retries. Ctrl-C keeps what is done, and the same command goes on from there.",
)  # fmt: skip
@click.option("--big", is_flag=True, help="Allow a sweep that takes more than 15 minutes.")
@click.argument("axes", nargs=-1, metavar="[AXIS=FROM..TO]")
def simulate(
    target: str, axes: tuple[str, ...], users: float | None, seeds: int, policies: tuple[str, ...],
    engine: "EngineName", out: Path | None, sweeps: tuple[str, ...], big: bool,
) -> None:  # fmt: skip
    """Simulate an outage in virtual time, at any scale.

    The scenario and the client policies are those of a live run; nothing is sent over the network.
    """
    from mockbot.commands.simulate import SimulateOptions, simulate_command
    from mockbot.process.prompt_end import ends_promptly

    scenario = load_scenario(find(target))
    command = shlex.join(["mockbot", *sys.argv[1:]])
    if axes and "=" not in axes[0]:
        raise UsageError(f"{axes[0]}: a program keeps its own clock and cannot run in virtual time; use mockbot run")
    if axes and not sweeps:
        raise UsageError(f"{axes[0]}: a second axis needs a first one; use --sweep {axes[0]}")
    options = SimulateOptions(scenario, users, seeds, policies, engine, out, command)
    with ends_promptly():
        if sweeps:
            from mockbot.commands.sweep import sweep_command

            sys.exit(sweep_command(options, (*sweeps, *axes), PlainConsole(), big=big))
        sys.exit(simulate_command(options, PlainConsole()))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--users", type=Number(min=1), help="As for simulate.")
@click.option(
    "--seeds", type=int, default=3, show_default=True, help="Number of runs of each variant, each with its own seed."
)
@click.option("--run", "live_run", type=RUN_FOLDER, help="Live run to compare with; default: the newest in runs/.")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON.")
def explain(target: str, users: float | None, seeds: int, live_run: Path | None, as_json: bool) -> None:
    """Answer five questions about an outage by theory and simulation.

    Does refreshing help? How long until it is normal again? Does failing over help? Does telling people help? What do
    paying users get? Each answer shows theory, simulation and, if there is one, a live run.
    """
    from mockbot.commands.explain import ExplainOptions, explain_command
    from mockbot.process.prompt_end import ends_promptly

    options = ExplainOptions(load_scenario(find(target)), target, users, seeds, live_run, as_json)
    with ends_promptly():
        sys.exit(explain_command(options, PlainConsole(), PlainConsole(stderr=as_json)))


@cli.command("list")
def list_() -> None:
    """List the bundled scenarios and what each teaches."""
    from mockbot.commands.list_scenarios import list_command

    list_command(PlainConsole(highlight=False))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--html", is_flag=False, flag_value=".", type=PATH, help="Write an HTML page; default: NAME.html.")
def show(target: str, html: Path | None) -> None:
    """Draw a scenario's timeline: phases, faults, users, status page."""
    from mockbot.report import timeline_drawing

    scenario = load_scenario(find(target))
    if html is None:
        timeline_drawing.show(scenario, PlainConsole())
        return
    page = html / f"{scenario.name}.html" if html.is_dir() else html
    page.write_text(timeline_drawing.show_page(scenario), "utf-8")
    click.echo(f"{page}: the timeline of {scenario.name}")


@cli.command(epilog=EXIT_CODES)
@click.argument("file", required=False, type=FILE)
@click.option("--cause", type=click.Choice(CAUSES), help="Cause of the outage.")
@click.option("--broke", type=click.Choice(BROKE), help="How a failure shows; default: everything is down.")
@click.option("--from", "parent", metavar="NAME|FILE", help="Extend this scenario instead.")
@click.option("--length", metavar="DURATION", help="Length of the outage, for instance 10m.")
@click.option("--users", type=click.IntRange(FEWEST, MOST), help="Number of users.")
@click.option("--speed", type=SPEED, help="As for run; default: chosen for a run of about 80 s.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def new(**options: Any) -> None:
    """Write a commented scenario file to start from.

    Asks for each value that no option gives.
    """
    from mockbot.commands.new import NewOptions, new_command

    new_command(NewOptions(**options))


@cli.command(epilog=EXIT_CODES)
@click.argument("target", metavar="NAME|DIR", required=False)
@click.option("--counterfactual", "before", type=RUN_FOLDER, help="Play this run again with something changed.")
@click.option("--set", "changes", multiple=True, metavar="PATH=VALUE", help="What is changed; as for run.")
@click.option("--system", metavar="FILE|URL|COMMAND", help="As for run.")
@click.option("--speed", type=SPEED, help="As for run; of a counterfactual: that of the first run.")
@click.option("--seed", type=int, help="Which outage is drawn and when it comes; default: nobody knows.")
@click.option("--out", type=FOLDER, help="As for run.")
@upstream_options(os.environ)
def drill(
    target: str | None, before: Path | None, changes: tuple[str, ...], system: str | None, speed: float | None,
    seed: int | None, out: Path | None, upstreams: "UpstreamSettings",
) -> None:  # fmt: skip
    """Rehearse an outage that nobody knows in advance.

    Participants write `mockbot note`; afterwards the page says how long they took to detect, to mitigate and to call
    it over, and which alarms were false.
    """
    from mockbot.commands.drill import DrillOptions, counterfactual_command, drill_command
    from mockbot.commands.run import RunOptions
    from mockbot.runs.folder import RunFolder
    from mockbot.testbed.system.system_file import read_system

    command = shlex.join(["mockbot", *sys.argv[1:]])
    options = RunOptions(
        speed, out, command=command, system=read_system(system) if system is not None else None, upstreams=upstreams
    )
    if before is not None:
        if target is not None or seed is not None:
            raise UsageError("--counterfactual plays the run's own timeline: leave out NAME|DIR and --seed")
        sys.exit(counterfactual_command(RunFolder(before), changes, options, PlainConsole()))
    if target is None or changes:
        raise UsageError("name a scenario, or a folder of them to draw one from; --set is for --counterfactual")
    sys.exit(drill_command(DrillOptions(target, options, seed), PlainConsole()))


@cli.command()
@click.argument("says", default="", metavar="[TEXT]")
@click.option("--detected", "kind", flag_value="detected", help="You see that something is wrong.")
@click.option("--mitigated", "kind", flag_value="mitigated", help="You did something about it.")
@click.option("--over", "kind", flag_value="over", help="You think that all is well again.")
@click.option("--abort", "aborts", is_flag=True, help="End every fault at once.")
@click.option("--run", "run_folder", type=RUN_FOLDER, default="runs/latest", show_default=True, help="The drill's.")
def note(says: str, kind: Any, aborts: bool, run_folder: Path) -> None:
    """Write down what you notice in a drill, with its time."""
    from mockbot.runs.folder import RunFolder
    from mockbot.runs.notes import abort, add_note

    folder = RunFolder(run_folder)
    if not (says or kind or aborts):
        raise UsageError("write what you notice, or say it by --detected, --mitigated or --over")
    if aborts:
        abort(folder)
    if says or kind:
        add_note(folder, kind or "note", says)
    click.echo(f"noted in {folder.path}")


@cli.command("import", epilog=EXIT_CODES)
@click.argument("file", metavar="FILE|-")
@click.option("--incident", metavar="ID", help="Which incident, when the file has several; without it they are listed.")
@click.option("--out", type=FILE, help="Scenario file to write; default: the name of FILE with .yaml.")
@click.option("--force", is_flag=True, help="Overwrite the scenario file.")
@click.option("--length", metavar="DURATION", help="Compress the whole to this; default: as long as it was.")
@click.option(
    "--impact-start",
    metavar="DURATION",
    help="How long before the first post it began; default 15m.",
)
@click.option("--start", metavar="TIME", help="When it began, when the file does not say.")
@click.option("--end", metavar="TIME", help="When it was over, when the file does not say.")
@click.option(
    "--level", type=click.Choice(["degraded", "partial", "full"]), help="How bad it was, when the file does not say."
)
@click.option("--component", "components", multiple=True, metavar="NAME", help="Component to stage (repeatable).")
@click.option(
    "--phases", type=click.IntRange(2, 50), default=12, show_default=True, help="At most so many phases of a series."
)
@click.option("--zone", metavar="OFFSET", help="Time zone of a series without one, as +01:00.")
@click.option("--unit", type=click.Choice(["share", "percent"]), help="What the errors of a series are written in.")
def import_(file: str, components: tuple[str, ...], **options: Any) -> None:
    """Turn the file of a status page or a metric into a scenario.

    Reads Statuspage, incident.io, Google Cloud, AWS, Datadog, Flashduty, Atom, RSS, CSV, Prometheus' query_range, and
    mockbot's own timeline; FILE is on your disk or - for standard input, never a URL.
    """
    from mockbot.commands.import_incident import ImportOptions, import_command

    import_command(ImportOptions(file, components=components, **options), PlainConsole())


@cli.command(epilog=EXIT_CODES)
@click.option(
    "--provider", type=click.Choice(["openai", "anthropic"]), default="openai", show_default=True, help="Whose months."
)
@click.option("--second", type=click.Choice(["openai", "anthropic"]), help="Whom clients can fail over to.")
@click.option(
    "--product", type=click.Choice(["api", "chat"]), default="api", show_default=True, help="Which of its products."
)
@click.option("--month", metavar="YYYY-MM", help="Days and weekdays of this month; default: the present one.")
@click.option("--rate", type=Number(0.1, 10), default=1.0, help="Times the fitted number of incidents.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another month.")
@click.option("--play", is_flag=True, help="Simulate the month, and say what each kind of client lost.")
@click.option("--users", type=click.IntRange(8, 10_000), default=100, show_default=True, help="Users of --play.")
@click.option("--objective", metavar="SHARE", default="99.9%", show_default=True, help="Promised availability.")
@click.option("--page", type=FILE, help="Write the calendar as an HTML page.")
def month(**options: Any) -> None:
    """Draw a typical month of a provider, and what its clients lose.

    The incidents are generated from a fit to a published year; no month of the past is retold.
    """
    from mockbot.commands.month import MonthOptions, month_command

    month_command(MonthOptions(**options), PlainConsole())


@cli.command(epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
def check(files: tuple[str, ...], watch: bool) -> None:
    """Report every problem in scenario files as file:line:column."""
    from mockbot.commands.check import check_command, watch_command

    (watch_command if watch else check_command)(files)


@cli.command(epilog=EXIT_CODES)
def doctor() -> None:
    """Say in seconds whether this machine can play outages."""
    from mockbot.commands.doctor import doctor_command

    sys.exit(doctor_command(PlainConsole()))


@cli.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""

    click.echo(schema_json(), nl=False)


@cli.command(epilog=EXIT_CODES)
@click.argument("run_folder", metavar="RUN", type=RUN_FOLDER)
def report(run_folder: Path) -> None:
    """Judge a finished run again from the files in its folder."""
    from mockbot.runs.folder import RunFolder
    from mockbot.runs.judge import conclude

    sys.exit(conclude(RunFolder(run_folder), PlainConsole()))


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

    sys.exit(compare_runs(RunFolder(first), RunFolder(second), page, PlainConsole()))


@cli.command("proxy", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def proxy_(flags: tuple[str, ...]) -> None:
    """Run only the embedded proxy, with Toxiproxy's control API."""
    from mockbot.proxy.proxy_server import main as serve_proxy

    sys.exit(serve_proxy(flags))

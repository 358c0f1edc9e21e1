"""The command line: read options into one frozen value, delegate, exit."""

import shlex
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console
from rich.padding import Padding

from mockbot.errors import ExitCode, MockbotError, UsageError
from mockbot.scenario.json_schema import schema_json
from mockbot.scenario.library import find, name_of, names
from mockbot.scenario.lint import lint
from mockbot.scenario.load import lineage, load_scenario, located
from mockbot.scenario.scaffold import CAUSES, FEWEST, LONGEST, MOST, SHORTEST, Brief, Cause, name_from, scaffold
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.start import Engine, ProxyChoice
from mockbot.units.formatting import format_seconds
from mockbot.units.quantities import duration_text, parse_duration
from mockbot.version import __version__

if TYPE_CHECKING:  # what only one command needs is imported by that command
    from mockbot.simulate.engines import EngineName

TARGET = click.argument("target", metavar="NAME|FILE")
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
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True, max=1000),
    help="Scenario seconds per wall-clock second; default: from the file.",
)
@click.option("--ui", is_flag=True, help="Watch the run in Locust's web UI.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Load generator processes.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Run folder; default: runs/<time>-<scenario>."
)
@click.option(
    "--locustfile",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Locustfile to use instead of chat.py.",
)
@click.option(
    "--proxy", type=click.Choice(["embedded", "toxiproxy"]), default="embedded", show_default=True, help="Fault proxy."
)
@click.option("--toxiproxy-url", metavar="URL", help="Use the Toxiproxy that runs there; implies --proxy toxiproxy.")
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="ANTI-PATTERN",
    help="An anti-pattern that must not fail the run (repeatable), e.g. does_not_back_off.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def run(
    target: str,
    command: tuple[str, ...],
    speed: float | None,
    ui: bool,
    processes: int,
    out: Path | None,
    locustfile: Path | None,
    proxy: Engine,
    toxiproxy_url: str | None,
    allowed: tuple[str, ...],
) -> None:
    """Run an outage live and judge how the clients cope.

    The clients are a crowd of simulated users, as the scenario describes them.

    With `-- COMMAND` your own program is the client, in any language. It finds the provider in its environment
    (OPENAI_BASE_URL and the like) and is judged by its requests, as the service and the proxy see them.
    """
    if command:
        if toxiproxy_url or proxy != "embedded":
            raise UsageError(
                "--proxy cannot be combined with `-- COMMAND`: "
                "only the embedded proxy reports which connections a fault hit"
            )
        from mockbot.commands.external_client import CommandOptions, run_command  # noqa: PLC0415 - as below

        guest = CommandOptions(speed, out, allowed=allowed, command=shlex.join(command))
        sys.exit(run_command(load_scenario(find(target)), guest, command, Console()))
    if allowed:
        raise UsageError(
            "--allow needs `-- COMMAND`: anti-patterns of the built-in crowd are reported and never fail a run"
        )
    from mockbot.commands.run import RunOptions  # noqa: PLC0415 - plotting and templates are not needed by the other commands
    from mockbot.commands.run import run as run_live  # noqa: PLC0415

    wire = ProxyChoice("toxiproxy" if toxiproxy_url else proxy, toxiproxy_url)
    typed = shlex.join(["mockbot", *sys.argv[1:]])
    _advise(find(target), speed)
    options = RunOptions(speed, out, processes, ui, locustfile, wire, typed)
    sys.exit(run_live(load_scenario(find(target)), options, Console()))


@cli.command()
@TARGET
@click.option("--speed", type=click.FloatRange(min=0, min_open=True, max=1000), help="As for run.")
@click.option("--loop", is_flag=True, help="Repeat the outage until interrupted.")
@click.option("--start-at", metavar="PHASE", help="Start at this phase.")
@click.option("--hold", metavar="PHASE", help="Stay in this phase until told otherwise.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the first provider; the others use the next ones.")
@click.option(
    "--control-port", type=click.IntRange(0, 65535), default=0, help="Port of the control API; 0: any free one."
)
def serve(
    target: str,
    speed: float | None,
    loop: bool,
    start_at: str | None,
    hold: str | None,
    port: int | None,
    control_port: int,
) -> None:
    """Serve an outage without load.

    Point any client, in any language, at the printed addresses.
    """
    from mockbot.commands.serve import ServeOptions  # noqa: PLC0415 - as above
    from mockbot.commands.serve import serve as serve_live  # noqa: PLC0415

    options = ServeOptions(speed, loop, start_at, hold, port, control_port)
    sys.exit(serve_live(load_scenario(find(target)), options, Console()))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option(
    "--users", type=click.FloatRange(min=1), help="Users at the peak; capacity and arrivals are scaled in proportion."
)
@click.option("--seeds", type=int, default=1, show_default=True, help="Number of runs, each with its own seed.")
@click.option(
    "--compare",
    "policies",
    multiple=True,
    metavar="POLICY",
    help="Also simulate the scenario with every user on POLICY (repeatable) and print both side by side.",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "reference", "fast"]),
    default="auto",
    show_default=True,
    help="Simulation engine; auto takes the fast one for large crowds.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="As for run.")
@click.option(
    "--sweep", metavar="AXIS=FROM..TO", help="Simulate a grid over one or two axes: users, refresh, outage, slots, ..."
)
@click.option("--big", is_flag=True, help="Allow a sweep that takes more than 15 minutes.")
@click.argument("axes", nargs=-1, metavar="[AXIS=FROM..TO]")
def simulate(
    target: str,
    axes: tuple[str, ...],
    users: float | None,
    seeds: int,
    policies: tuple[str, ...],
    engine: "EngineName",
    out: Path | None,
    sweep: str | None,
    big: bool,
) -> None:
    """Simulate an outage in virtual time, at any scale.

    The scenario and the client policies are those of a live run; nothing is sent over the network.
    """
    from mockbot.commands.simulate import SimulateOptions, simulate_command  # noqa: PLC0415 - as above

    scenario = load_scenario(find(target))
    command = shlex.join(["mockbot", *sys.argv[1:]])
    if axes and "=" not in axes[0]:
        raise UsageError(f"{axes[0]}: a program keeps its own clock and cannot run in virtual time; use mockbot run")
    if axes and sweep is None:
        raise UsageError(f"{axes[0]}: a second axis needs a first one; use --sweep {axes[0]}")
    options = SimulateOptions(scenario, users, seeds, policies, engine, out, command)
    if sweep is not None:
        from mockbot.commands.sweep import sweep_command  # noqa: PLC0415 - as above

        sys.exit(sweep_command(options, (sweep, *axes), Console(), big=big))
    sys.exit(simulate_command(options, Console()))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--users", type=click.FloatRange(min=1), help="As for simulate.")
@click.option(
    "--seeds", type=int, default=3, show_default=True, help="Number of runs of each variant, each with its own seed."
)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Live run to compare with; default: the newest run of this scenario in runs/.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON.")
def explain(target: str, users: float | None, seeds: int, run_folder: Path | None, as_json: bool) -> None:
    """Answer five questions about an outage by theory and simulation.

    Does refreshing help? How long until it is normal again? Does failing over help? Does telling people help? What do
    paying users get? Each answer shows theory, simulation and, if there is one, a live run.
    """
    from mockbot.commands.explain import ExplainOptions, explain_command  # noqa: PLC0415 - as above

    options = ExplainOptions(load_scenario(find(target)), users, seeds, run_folder, as_json)
    sys.exit(explain_command(options, Console(), Console(stderr=as_json)))


@cli.command("list")
def list_() -> None:
    """List the bundled scenarios and what each teaches."""
    console = Console(highlight=False)
    for name in names():
        scenario = load_scenario(find(name))
        end = Timeline(scenario).end
        lengths = f"{duration_text(end)} in {format_seconds(end / scenario.speed)}"
        console.print(f"[bold]{name}[/bold]  {scenario.cause or 'no cause given'}, {lengths}")
        console.print(Padding(scenario.teaches or scenario.title, (0, 0, 0, 4), expand=False))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option(
    "--html",
    is_flag=False,
    flag_value=".",
    type=click.Path(path_type=Path),
    help="Write an HTML page; default: NAME.html.",
)
def show(target: str, html: Path | None) -> None:
    """Draw a scenario's timeline: phases, faults, users, status page."""
    from mockbot.report.timeline_drawing import show as draw  # noqa: PLC0415 - as above
    from mockbot.report.timeline_drawing import show_page  # noqa: PLC0415

    scenario = load_scenario(find(target))
    if html is None:
        draw(scenario, Console())
        return
    page = html / f"{scenario.name}.html" if html.is_dir() else html
    page.write_text(show_page(scenario), "utf-8")
    click.echo(f"{page}: the timeline of {scenario.name}")


@cli.command(epilog=EXIT_CODES)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--cause", type=click.Choice(CAUSES), help="Cause of the outage.")
@click.option("--length", metavar="DURATION", help="Length of the outage, for instance 10m.")
@click.option("--users", type=click.IntRange(FEWEST, MOST), help="Number of users.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True, max=1000),
    help="As for run; default: chosen for a run of about 80 s.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def new(
    file: Path | None, cause: Cause | None, length: str | None, users: int | None, speed: float | None, force: bool
) -> None:
    """Write a commented scenario file to start from.

    Asks for each value that no option gives.
    """
    cause = cause or _asked("Cause of the outage", "--cause", None, click.Choice(CAUSES))
    lasts = _length(length or _asked("Length of the outage", "--length", "10m", click.STRING))
    users = users or _asked("Number of users", "--users", 60, click.IntRange(FEWEST, MOST))
    path = file or Path(f"my-{cause}.yaml")
    text = scaffold(Brief(name_from(path), cause, lasts, users, speed))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists already; name another file, or overwrite it with --force") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None
    click.echo(f"{path}: {_in_short(load_scenario(path))}; next: mockbot show {path}, mockbot run {path}")


def _asked(text: str, option: str, default: Any, kind: Any) -> Any:
    """What the user types; without a terminal the default, or UsageError when there is none."""
    if _somebody_there():
        return click.prompt(text, default=default, type=kind)
    if default is None:
        raise UsageError(f"{option} is required when standard input is not a terminal")
    return default


def _somebody_there() -> bool:
    return sys.stdin.isatty()


def _length(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--length: {error}") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise UsageError(f"--length {text}: must be {duration_text(SHORTEST)} to {duration_text(LONGEST)}")
    return seconds


@cli.command(epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Report every problem in scenario files as file:line:column."""
    problems = [problem for problem in map(_problem, files) if problem]
    if problems:
        raise UsageError("\n".join(problems))


def _problem(file: str) -> str:
    try:
        scenario, (_, *parents) = load_scenario(find(file)), lineage(find(file))
    except UsageError as error:
        return str(error)
    extends = "".join(f", extends {name_of(parent)}" for parent in parents)
    click.echo(f"{file}: ok: {_in_short(scenario)}{extends}")
    _advise(find(file), None)
    return ""


def _advise(path: Path, speed: float | None) -> None:
    """Warn of what is valid but rarely intended."""
    for line in located(lint(load_scenario(path), speed), path):
        click.echo(f"warning: {line}", err=True)


def _in_short(scenario: Scenario) -> str:
    timeline = Timeline(scenario)
    parts = {"phases": scenario.phases, "faults": timeline.faults, "expectations": scenario.expect}
    return ", ".join([duration_text(timeline.end), *(f"{len(part)} {name}" for name, part in parts.items())])


@cli.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    click.echo(schema_json(), nl=False)


@cli.command(epilog=EXIT_CODES)
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path, exists=True, file_okay=False))
def report(run_folder: Path) -> None:
    """Judge a finished run again from the files in its folder."""
    from mockbot.runs.folder import RunFolder  # noqa: PLC0415 - as above
    from mockbot.runs.judge import conclude  # noqa: PLC0415 - as above

    sys.exit(conclude(RunFolder(run_folder), Console()))


@cli.command(epilog=EXIT_CODES)
@click.argument("first", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("second", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the page; default: into SECOND."
)
def compare(first: Path, second: Path, page: Path | None) -> None:
    """Compare two runs of a scenario beyond what chance explains.

    Exits with 1 if SECOND is worse in any measure, with 3 if the runs say too little to tell.
    """
    from mockbot.runs.folder import RunFolder  # noqa: PLC0415 - as above
    from mockbot.runs.judge import compare_runs  # noqa: PLC0415 - as above

    sys.exit(compare_runs(RunFolder(first), RunFolder(second), page, Console()))


@cli.command("proxy", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def proxy_(flags: tuple[str, ...]) -> None:
    """Run only the embedded proxy, with Toxiproxy's control API."""
    from mockbot.proxy.proxy_server import main as serve_proxy  # noqa: PLC0415 - the other commands need no event loop

    sys.exit(serve_proxy(flags))


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """The entry point: every error that a user can meet becomes a sentence and an exit code here."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` sets SIGINT to ignored; set it back
        signal.signal(number, _terminated)
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except MockbotError as error:
        click.echo(f"mockbot: {error}" if "\n" not in str(error) else str(error), err=True)
        sys.exit(error.exit_code)
    except Exception:
        # A defect of ours: Python's own exit code for it, 1, would read "expectations failed".
        traceback.print_exc()
        click.echo("mockbot: this is a defect in mockbot; it says nothing about your client", err=True)
        sys.exit(ExitCode.TESTBED)

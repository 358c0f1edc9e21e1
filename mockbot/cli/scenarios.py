"""The commands about scenario files, and the one about the machine that is to play them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockbot.cli.group import cli
from mockbot.cli.options import EXIT_CODES, FILE, PATH, SPEED, TARGET, console, scenario_of
from mockbot.scenario.scaffold_choices import BROKE, CAUSES, FEWEST, MOST

if TYPE_CHECKING:
    pass


@cli.command("list")
def list_() -> None:
    """List the bundled scenarios and what each teaches."""
    from mockbot.commands.list_scenarios import list_command

    list_command(console(highlight=False))


@cli.command(epilog=EXIT_CODES)
@TARGET
@click.option("--html", is_flag=False, flag_value=".", type=PATH, help="Write an HTML page; default: NAME.html.")
def show(target: str, html: Path | None) -> None:
    """Draw a scenario's timeline: phases, faults, users, status page."""
    from mockbot.report import timeline_drawing

    scenario = scenario_of(target)
    if html is None:
        timeline_drawing.show(scenario, console())
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
@click.option(
    "--users", type=click.IntRange(FEWEST, MOST), help="Users: enough for a verdict, few enough for one process."
)
@click.option("--speed", type=SPEED, help="As for run; default: chosen for a run of about 80 s.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def new(**options: Any) -> None:
    """Write a commented scenario file to start from.

    Asks for each value that no option gives.
    """
    from mockbot.commands.new import NewOptions, new_command

    new_command(NewOptions(**options))


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
@click.option(
    "--component",
    "components",
    multiple=True,
    metavar="NAME",
    help="Component of the status page to play (repeatable).",
)
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

    import_command(ImportOptions(file, components=components, **options), console())


@cli.command(epilog=EXIT_CODES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
def check(files: tuple[str, ...], watch: bool) -> None:
    """Report every problem in scenario files as file:line:column."""
    from mockbot.commands.check import check_command, watch_command

    (watch_command if watch else check_command)(files)


@cli.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""

    from mockbot.scenario.json_schema import schema_json

    click.echo(schema_json(), nl=False)


@cli.command(epilog=EXIT_CODES)
def doctor() -> None:
    """Say in seconds whether this machine can play outages."""
    from mockbot.commands.doctor import doctor_command

    sys.exit(doctor_command(console()))

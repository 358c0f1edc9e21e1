"""The commands that play outages in virtual time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockbot.cli.group import cli
from mockbot.cli.options import ENGINE, EXIT_CODES, FILE, FOLDER, RUN_FOLDER, TARGET, Number, console, scenario_of
from mockbot.dialects.client_identity import command_text
from mockbot.errors import UsageError

if TYPE_CHECKING:
    from mockbot.simulate.engines import EngineName


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
@click.option("--on", metavar="tcp://HOST:8786", help="Do seeds and sweeps on this dask scheduler's cluster.")
@click.argument("axes", nargs=-1, metavar="[AXIS=FROM..TO]")
def simulate(
    target: str, axes: tuple[str, ...], users: float | None, seeds: int, policies: tuple[str, ...],
    engine: "EngineName", out: Path | None, sweeps: tuple[str, ...], big: bool, on: str | None,
) -> None:  # fmt: skip
    """Simulate an outage in virtual time, at any scale.

    The scenario and the client policies are those of a live run; nothing is sent over the network.
    """
    from mockbot.commands.simulate import SimulateOptions, simulate_command
    from mockbot.process.prompt_end import ends_promptly

    scenario = scenario_of(target)
    command = command_text(["mockbot", *sys.argv[1:]])
    if axes and "=" not in axes[0]:
        raise UsageError(f"{axes[0]}: a program keeps its own clock and cannot run in virtual time; use mockbot run")
    if axes and not sweeps:
        raise UsageError(f"{axes[0]}: a second axis needs a first one; use --sweep {axes[0]}")
    options = SimulateOptions(scenario, users, seeds, policies, engine, out, command, on)
    with ends_promptly():
        if sweeps:
            from mockbot.commands.sweep import sweep_command

            sys.exit(sweep_command(options, (*sweeps, *axes), console(), big=big))
        sys.exit(simulate_command(options, console()))


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

    options = ExplainOptions(scenario_of(target), target, users, seeds, live_run, as_json)
    with ends_promptly():
        sys.exit(explain_command(options, console(), console(stderr=as_json)))


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

    month_command(MonthOptions(**options), console())

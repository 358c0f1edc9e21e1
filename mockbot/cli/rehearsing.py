"""The commands of a drill."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockbot.cli.group import cli
from mockbot.cli.options import EXIT_CODES, FOLDER, ON_PHASE, RUN_FOLDER, SPEED, console, upstream_options
from mockbot.dialects.client_identity import command_text
from mockbot.errors import UsageError

if TYPE_CHECKING:
    from mockbot.upstream.settings import UpstreamSettings


@cli.command(epilog=EXIT_CODES)
@click.argument("target", metavar="NAME|DIR", required=False)
@click.option("--counterfactual", "before", type=RUN_FOLDER, help="Play this run again with something changed.")
@click.option("--set", "changes", multiple=True, metavar="PATH=VALUE", help="What is changed; as for run.")
@click.option("--system", metavar="FILE|URL|COMMAND", help="As for run.")
@click.option("--speed", type=SPEED, help="As for run; of a counterfactual: that of the first run.")
@click.option("--seed", type=int, help="Which outage is drawn and when it comes; default: nobody knows.")
@click.option("--out", type=FOLDER, help="As for run.")
@ON_PHASE
@upstream_options(os.environ)
def drill(
    target: str | None, before: Path | None, changes: tuple[str, ...], system: str | None, speed: float | None,
    seed: int | None, out: Path | None, on_phase: str | None, upstreams: "UpstreamSettings",
) -> None:  # fmt: skip
    """Rehearse an outage that nobody knows in advance.

    Participants write `mockbot note`; afterwards the page says how long they took to detect, to mitigate and to call
    it over, and which alarms were false.
    """
    from mockbot.commands.drill import DrillOptions, counterfactual_command, drill_command
    from mockbot.commands.run import RunOptions
    from mockbot.commands.run_observers import Observing
    from mockbot.runs.folder import RunFolder
    from mockbot.testbed.system.system_file import read_system

    command = command_text(["mockbot", *sys.argv[1:]])
    options = RunOptions(
        speed, out, command=command, system=read_system(system) if system is not None else None, upstreams=upstreams,
        observing=Observing(on_phase=on_phase),
    )  # fmt: skip
    if before is not None:
        if target is not None or seed is not None:
            raise UsageError("--counterfactual plays the run's own timeline; leave out NAME|DIR and --seed")
        sys.exit(counterfactual_command(RunFolder(before), changes, options, console()))
    if target is None or changes:
        raise UsageError("name a scenario, or a folder of them to draw one from; --set is for --counterfactual")
    sys.exit(drill_command(DrillOptions(target, options, seed), console()))


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

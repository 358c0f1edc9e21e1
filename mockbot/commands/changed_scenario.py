"""The scenario that `mockbot run` names, with `--set` and `--length` applied; doubts about it go to stderr."""

from collections.abc import Sequence

import click

from mockbot.scenario.library import find
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.scenario.shorten import duration_option, shortened


def changed_scenario(target: str, changes: Sequence[str], length: str | None) -> tuple[Scenario, str]:
    """The scenario, and how it was shortened in words. Raises UsageError."""
    scenario = load_scenario(find(target), changes)
    if length is None:
        return scenario, ""
    short = shortened(scenario, duration_option(length))
    for doubt in short.doubts:
        click.echo(f"warning: --length {length}: {doubt}", err=True)
    return short.scenario, short.text

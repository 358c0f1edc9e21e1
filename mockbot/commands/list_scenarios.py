"""`mockbot list`: the bundled scenarios on the terminal, each with its cause, its length and what it teaches."""

from rich.console import Console
from rich.padding import Padding

from mockbot.report.plain_console import heading
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario
from mockbot.scenario.timeline import Timeline
from mockbot.units.formatting import format_wall
from mockbot.units.quantities import duration_text


def list_command(console: Console) -> None:
    """Print two lines for each scenario."""
    for name in names():
        scenario = load_scenario(find(name))
        end = Timeline(scenario).end
        lengths = f"{duration_text(end)} in {format_wall(end / scenario.speed)}"
        console.print(heading(name, f"  {scenario.cause or 'no cause given'}, {lengths}"))
        console.print(Padding(scenario.teaches or scenario.title, (0, 0, 0, 4), expand=False))

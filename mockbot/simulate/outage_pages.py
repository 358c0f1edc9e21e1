"""A page for each bundled outage: scenarios in, docs/outages/NAME.md out.

    python -m mockbot.simulate.outage_pages docs/outages     writes all of them, and a list of them

A page tells the story of the file's first comment, with its source and what is assumed, draws its timeline, and says
what each kind of client lived through: simulated, in the file's length and with its seed.
"""

import sys
from io import StringIO
from pathlib import Path

from mockbot.measures.scope import Scope
from mockbot.measures.text import format_value
from mockbot.measures.values import Undefined
from mockbot.report.plain_console import PlainConsole
from mockbot.report.timeline_drawing import show
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.simulate.library_table import outcome

MEASURES = ("answered", "availability", "down_for", "attempts_per_prompt")
WIDTH = 100
EDITOR = "yaml-language-server"  # the first line of a file is for editors


def outage_page(name: str) -> str:
    """The page of a bundled outage."""
    path = find(name)
    scenario = load_scenario(path)
    parts = [f"# {scenario.title}", *_story(path), _origin(scenario)]
    parts += ["## When what was wrong", f"```text\n{_picture(scenario)}\n```"]
    parts += ["## What each kind of client lived through", _lived(scenario)]
    if scenario.teaches:
        parts += ["## What to do about it", scenario.teaches]
    parts += ["## Play it", f"```console\nmockbot run {name}\nmockbot simulate {name}\nmockbot explain {name}\n```"]
    return "\n\n".join(parts) + "\n"


def list_page() -> str:
    """The list of all pages."""
    lines = ["# The outages of the library", "", "| outage | what it was |", "| --- | --- |"]
    for name in names():
        scenario = load_scenario(find(name))
        what = scenario.retells.incident if scenario.retells else scenario.cause or "a surge, as it is usual"
        lines.append(f"| [{scenario.title}]({name}.md) | {what} |")
    return "\n".join(lines) + "\n"


def _story(path: Path) -> list[str]:
    """The paragraphs of the file's first comment; those with indented lines as they are."""
    comment: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        if EDITOR not in line:
            comment.append(line.removeprefix("#").removeprefix(" "))
    paragraphs = [part.strip("\n") for part in "\n".join(comment).split("\n\n") if part.strip()]
    return [f"```text\n{part}\n```" if "\n  " in f"\n{part}" else " ".join(part.split()) for part in paragraphs]


def _origin(scenario: Scenario) -> str:
    if scenario.retells is None:
        return "It retells no incident."
    assumed = "".join(f"\n- {each}" for each in scenario.retells.assumed)
    told = f"It retells {scenario.retells.incident}, after <{scenario.retells.source}>."
    return f"{told} Assumed, because no source says it:\n{assumed}" if assumed else told


def _picture(scenario: Scenario) -> str:
    console = PlainConsole(file=StringIO(), width=WIDTH, color_system=None)
    show(scenario.model_copy(update={"teaches": ""}), console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _lived(scenario: Scenario) -> str:
    rows = {row.scope: row.values for row in outcome(scenario.name).measures}
    head = "| clients | policy | answered | answered in time | down for | attempts per prompt |"
    lines = [head, "| --- | --- | --- | --- | --- | --- |"]
    for name, group in scenario.crowd.items():
        values = rows.get(Scope(group=name), {})
        cells = [format_value(each, values.get(each, Undefined(""))) for each in MEASURES]
        lines.append(f"| {name} | `{group.policy.name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(list_page(), "utf-8")
    for each in names():
        (folder / f"{each}.md").write_text(outage_page(each), "utf-8")

"""What each bundled outage does to three kinds of clients: scenarios in, the table of scenarios/README.md out.

    python -m mockbot.simulate.library_table scenarios/README.md     puts the table between its marks

The rule: a kind is played by the first group of the file whose policy is of that kind, in virtual time, at the file's
length and with its seed; every figure is of that group over the whole run.
"""

import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from mockbot.evidence.scope import Scope
from mockbot.evidence.verdict import Judgement, judge
from mockbot.measures.text import format_value
from mockbot.measures.values import Undefined, Value
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario
from mockbot.scenario.schema import Scenario
from mockbot.simulate.simulation import Memory, simulate

Kind = Literal["naive", "SDK default", "careful"]
KINDS: tuple[Kind, ...] = get_args(Kind)
POLICIES: dict[Kind, frozenset[str]] = {
    "naive": frozenset({"refresh", "fixed", "once"}),
    "SDK default": frozenset({"sdk"}),
    "careful": frozenset({"backoff", "informed"}),
}
PLAYED_BY: dict[str, dict[Kind, str]] = {  # where the difference is in the values of one policy
    "maintenance-window": {"naive": "on-the-dot", "careful": "spread-out"},
    "failover-2024-06-04": {"naive": "guests", "careful": "careful-guests"},
}
MEASURES = ("availability", "recovery_time", "amplification")
BEGIN, END = "<!-- outcomes -->\n", "\n<!-- /outcomes -->"
HEAD = f"""\
| scenario | {" | ".join(KINDS)} |
| --- | {" | ".join("---" for _ in KINDS)} |"""


def groups(scenario: Scenario) -> dict[Kind, str]:
    """Who plays each kind; a kind that nobody plays is missing."""
    found: dict[Kind, str] = {}
    for kind in KINDS:
        mine = [name for name, group in scenario.crowd.items() if group.policy.name in POLICIES[kind]]
        if mine:
            found[kind] = mine[0]
    return found | PLAYED_BY.get(scenario.name, {})


@lru_cache
def outcome(name: str) -> Judgement:
    """One bundled scenario, played and judged."""
    scenario, memory = load_scenario(find(name)), Memory()
    info = simulate(scenario, sink=memory.take, engine="reference")
    return judge(memory.evidence(scenario, info))


def figures(name: str) -> dict[Kind, tuple[Value, ...]]:
    """The measures of each kind."""
    rows = {row.scope: row.measures for row in outcome(name).rows}
    played = groups(load_scenario(find(name)))
    return {
        kind: tuple(rows[Scope(group=group)].get(measure, Undefined("")) for measure in MEASURES)
        for kind, group in played.items()
    }


def table() -> str:
    """A row for every bundled scenario."""
    return "\n".join([HEAD, *map(_row, names())])


def replaced(page: str, made: str) -> str:
    """The page with the table between its marks."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}{made}{END}", page)


def _row(name: str) -> str:
    played, seen = groups(load_scenario(find(name))), figures(name)

    def cell(kind: Kind) -> str:
        words = [format_value(measure, value) for measure, value in zip(MEASURES, seen[kind], strict=True)]
        return f"{played[kind]}: {', '.join(words)}"

    cells = (cell(kind) if kind in seen else "-" for kind in KINDS)
    return f"| [{name}]({name}.yaml) | {' | '.join(cells)} |"


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(replaced(readme.read_text("utf-8"), table()), "utf-8")

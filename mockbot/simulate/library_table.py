"""What each bundled outage does to three kinds of clients: scenarios in, the table of scenarios/README.md out.

    python -m mockbot.simulate.library_table scenarios/README.md     puts the table between its marks

The rule: a kind's group is the first one of the file whose policy is of that kind; the run is in virtual time, of the
file's length and with its seed; every figure is of that group over the whole run.
"""

import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from mockbot.evidence.judgement import Judgement
from mockbot.evidence.verdict import judge
from mockbot.measures.scope import Scope
from mockbot.measures.text import format_value
from mockbot.measures.values import Undefined
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
GROUPS: dict[str, dict[Kind, str]] = {  # where the difference is in the values of one policy
    "maintenance-window": {"naive": "on-the-dot", "careful": "spread-out"},
    "failover-2024-06-04": {"naive": "guests", "careful": "careful-guests"},
}
MEASURES = ("availability", "down_for", "amplification")
BEGIN, END = "<!-- outcomes -->\n", "\n<!-- /outcomes -->"
HEAD = f"""\
| scenario | {" | ".join(KINDS)} |
| --- | {" | ".join("---" for _ in KINDS)} |"""


def groups(scenario: Scenario) -> dict[Kind, str]:
    """The group of each kind; a kind without a group is missing."""
    policies = {name: group.policy.name for name, group in scenario.crowd.items()}
    found = {kind: [name for name, policy in policies.items() if policy in POLICIES[kind]] for kind in KINDS}
    return {kind: names[0] for kind, names in found.items() if names} | GROUPS.get(scenario.name, {})


@lru_cache
def outcome(name: str) -> Judgement:
    """One bundled scenario, simulated and judged."""
    scenario, memory = load_scenario(find(name)), Memory()
    info = simulate(scenario, sink=memory.take, engine="reference")
    return judge(memory.evidence(scenario, info))


def table() -> str:
    """A row for every bundled scenario."""
    lines = [HEAD]
    for name in names():
        rows = {row.scope: row.values for row in outcome(name).measures}
        cells = dict.fromkeys(KINDS, "-")
        for kind, group in groups(load_scenario(find(name))).items():
            values = [rows[Scope(group=group)].get(measure, Undefined("")) for measure in MEASURES]
            cells[kind] = f"{group}: {', '.join(map(format_value, MEASURES, values))}"
        lines.append(f"| [{name}]({name}.yaml) | {' | '.join(cells.values())} |")
    return "\n".join(lines)


def replaced(page: str, made: str) -> str:
    """The page with the table between its marks."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}{made}{END}", page)


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(replaced(readme.read_text("utf-8"), table()), "utf-8")

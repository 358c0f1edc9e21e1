"""The tables of parameters in, the documentation's out.

python -m mockbot.dialects.parameter_tables docs/api.md     puts them between their marks
"""

import re
import sys
from pathlib import Path

from mockbot.dialects.families import FAMILIES
from mockbot.dialects.parameter import Table


def markdown() -> str:
    """A heading and a table for every endpoint that takes parameters, one for all that take the same."""
    tables: dict[int, tuple[Table, list[str]]] = {}
    for dialect in (dialect for family in FAMILIES.values() for dialect in family.dialects):
        _, paths = tables.setdefault(id(dialect.parameters), (dialect.parameters, []))
        paths.append(f"`POST {dialect.path}`")
    return "\n\n".join(f"### {', '.join(paths)}\n\n{_rows(table)}" for table, paths in tables.values())


def _rows(table: Table) -> str:
    lines = ["| parameter | mockbot | allowed | |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {each.state} | {each.limits} | {each.text} |" for name, each in sorted(table.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    marks = re.compile("(<!-- parameters -->\n).*?(\n<!-- /parameters -->)", re.DOTALL)
    page.write_text(marks.sub(rf"\g<1>{markdown()}\g<2>", page.read_text("utf-8")), "utf-8")

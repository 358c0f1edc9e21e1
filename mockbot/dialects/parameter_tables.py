"""The tables of parameters in, the documentation's out.

python -m mockbot.dialects.parameter_tables docs/api.md     puts them between their marks
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from mockbot.dialects.dialect import Dialect
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.parameter import Table

_OTHERS = """### Endpoints with the parameters of another one

| dialect | endpoint | as | and besides |
| --- | --- | --- | --- |"""


def markdown() -> str:
    """A heading and a table for every endpoint that takes parameters, and a row for one that takes another one's."""
    dialects = {dialect: name for name, family in FAMILIES.items() for dialect in family.dialects}
    bases = {dialect: _base(dialect, [*dialects]) for dialect in dialects}
    tables = [f"### `POST {each.path}`\n\n{_rows(each.parameters)}" for each, base in bases.items() if base is None]
    others = [_OTHERS]
    for each, base in bases.items():
        if base is not None:
            more = {name: value.text for name, value in each.parameters.items() if name not in base.parameters}
            told = ", ".join(f"`{name}` ({text})" for name, text in more.items())
            others.append(f"| `{dialects[each]}` | `POST {each.path}` | `{base.path}` | {told} |")
    return "\n\n".join([*tables, "\n".join(others)])


def _base(dialect: Dialect, dialects: Sequence[Dialect]) -> Dialect | None:
    """The endpoint before it whose parameters this one takes, too."""
    for base in dialects[: dialects.index(dialect)]:
        if isinstance(dialect, type(base)) or dialect.parameters is base.parameters:
            return base if base.parameters.items() <= dialect.parameters.items() else None
    return None


def _rows(table: Table) -> str:
    lines = ["| parameter | mockbot | allowed | |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {each.state} | {each.limits} | {each.text} |" for name, each in sorted(table.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    marks = re.compile("(<!-- parameters -->\n).*?(\n<!-- /parameters -->)", re.DOTALL)
    page.write_text(marks.sub(rf"\g<1>{markdown()}\g<2>", page.read_text("utf-8")), "utf-8")

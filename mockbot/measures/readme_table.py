"""The table of measures in, the documentation's table out.

python -m mockbot.measures.readme_table scenarios/README.md     puts it between its marks
"""

import re
import sys
from pathlib import Path

from mockbot.measures.scope import SELECTORS
from mockbot.measures.table import EXPECTED


def markdown_table() -> str:
    """A row for every measure that `expect` may name."""
    lines = ["| measure | unit | better | narrowed by | is |", "| --- | --- | --- | --- | --- |"]
    for measure in EXPECTED:
        selectors = ", ".join(selector for selector in SELECTORS if selector not in measure.undefined) or "nothing"
        lines.append(f"| `{measure.name}` | {measure.unit} | {measure.better} | {selectors} | {measure.text} |")
    return "\n".join(lines)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    marks = re.compile("(<!-- measures -->\n).*?(\n<!-- /measures -->)", re.DOTALL)
    page.write_text(marks.sub(rf"\g<1>{markdown_table()}\g<2>", page.read_text("utf-8")), "utf-8")

"""`python -m mockbot.measures scenarios/README.md` puts the table of measures between its marks."""

import re
import sys
from pathlib import Path

from mockbot.measures.table import markdown_table

if __name__ == "__main__":
    page = Path(sys.argv[1])
    marks = re.compile("(<!-- measures -->\n).*?(\n<!-- /measures -->)", re.DOTALL)
    page.write_text(marks.sub(rf"\g<1>{markdown_table()}\g<2>", page.read_text("utf-8")), "utf-8")

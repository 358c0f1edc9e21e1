"""No text can speak for mockbot on a terminal or in the log of a job."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from mockbot.report.plain_console import PlainConsole, heading


def printed(*what: object, width: int = 80) -> str:
    console = PlainConsole(file=io.StringIO(), width=width)
    console.print(*what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("title", ["The endpoint [/v1/chat] fails", "Outage [phase 2 of 3] returns", "[red]:smile:[/]"])
def test_markup_is_text(title: str) -> None:
    """Nothing is read as markup, left out, or a reason for a traceback."""
    assert printed(heading(title)) == f"{title}\n"
    assert printed(title) == f"{title}\n"


def test_controls_are_visible_signs() -> None:
    """An escape sequence neither colours nor clears, and a right-to-left override turns nothing around."""
    out = printed("a\x1b[2Jb\x01c\u202ed")

    assert out == "a\ufffd[2Jb\ufffdc\ufffdd\n"


@pytest.mark.parametrize(
    "what", ["::error::no", " \t::error::no", "ok\n::error::no", Text("::error::no"), heading("a", "\n::error::no")]
)
def test_no_line_begins_a_workflow_command(what: object) -> None:
    """GitHub's runner obeys a line whose first characters, but for spaces, are `::`."""
    assert not any(line.strip().startswith("::") for line in printed(what).splitlines())


def test_a_line_that_wraps_begins_none_either() -> None:
    """Neither in a paragraph nor in a cell."""
    table = Table.grid()
    table.add_row(Text("12345678 ::error::no"))

    for what in ("12345678 ::error::no", table):
        assert not any(line.strip().startswith("::") for line in printed(what, width=12).splitlines())


def test_a_title_is_one_line() -> None:
    """Line breaks in it begin no line of their own."""
    assert printed(heading("one\ntwo\n", " (simulated)")) == "one two (simulated)\n"


def test_the_rows_of_a_table_have_no_lines_between_them() -> None:
    """Their trailing blanks are left out, and nothing else."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, what in (("a", "one"), ("b", ""), ("long", "three")):
        table.add_row(name, "1", what)

    assert printed(table) == "a     1  one\nb     1\nlong  1  three\n"

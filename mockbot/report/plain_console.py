"""The console of every command: what it prints cannot be mistaken for markup, for controls or for commands of a CI.

Text of a scenario or a client reaches the terminal and the log of a job. Rich would read `[bold]` in it, a terminal
obeys escape sequences, and GitHub's runner obeys a line that begins with `::` (docs.github.com, "Workflow commands").
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)


def plain(text: str) -> str:
    """The text with a visible sign for each control character, and no line that begins a workflow command."""
    return _COMMAND.sub("\\1\N{MODIFIER LETTER COLON}:", _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text))


def heading(title: str, rest: str = "") -> Text:
    """A title on one line, in bold, and what follows it."""
    return Text.assemble((" ".join(title.split()), "bold"), rest)


class PlainConsole(Console):
    """Rich's console without markup and emoji codes, and with `plain` for everything that it prints."""

    def __init__(self, **how: Any) -> None:
        super().__init__(markup=False, emoji=False, **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Console.render; tables and panels are rendered through here piece by piece."""
        made = super().render(renderable, options)
        safe = (each if each.control else Segment(plain(each.text), each.style) for each in made)
        return safe if self.is_terminal else without_trailing_blanks(safe)


def without_trailing_blanks(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments without the blanks before a line break, with which Rich fills its columns."""
    blanks: list[Segment] = []
    for segment in segments:
        for part in filter(None, re.split("(\n)", segment.text)):  # Rich takes an empty one for a line of its own
            if part == "\n":
                blanks.clear()
                yield Segment("\n")
            elif body := part.rstrip(" "):
                yield from blanks
                blanks = [Segment(rest, segment.style)] if (rest := part[len(body) :]) else []
                yield Segment(body, segment.style, segment.control)
            else:
                blanks.append(Segment(part, segment.style))
    yield from blanks

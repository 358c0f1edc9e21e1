"""The console of every command: what it prints cannot be mistaken for markup, for controls or for commands of a CI.

Text of a scenario or a client reaches the terminal and the log of a job. Rich would read `[bold]` in it, a terminal
obeys escape sequences, and GitHub's runner obeys a line that begins with `::` (docs.github.com, "Workflow commands").
"""

import re
from collections.abc import Iterable
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
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)

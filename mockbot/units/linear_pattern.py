"""A regular expression whose search takes time in proportion to the text: a pattern in, yes or no out. Pure.

Patterns come from scenario files, which nobody has to trust. The engine is Rust's `regex`, which pydantic brings along:
an automaton without backtracking, so without look-around and references to groups. The factor of that proportion is the
automaton's size, which counted repetitions multiply; `COSTLIEST` bounds it, so that the worst pattern and the longest
text that are taken need about 0.1 s, and a usual one some microseconds.
"""

import math
import re

from pydantic_core import SchemaError, SchemaValidator, core_schema

LONGEST_TEXT = 10_000  # characters; of a longer text the last ones are searched
COSTLIEST = 2_000  # characters of the pattern, times each counted repetition in it
_COUNTED = re.compile(r"\{(?:\d*,)?(\d{1,9})\}|\{(\d{1,9}),\}")


class LinearPattern:
    """A pattern, compiled. ValueError for what is none, or would take too long."""

    def __init__(self, pattern: str) -> None:
        counts = (max(1, int(most or least)) for most, least in _COUNTED.findall(pattern))
        if len(pattern) * math.prod(counts) > COSTLIEST:
            raise ValueError(f"{pattern!r} could take long; make it shorter, or its repetitions like {{0,100}} smaller")
        try:
            self._matcher = SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
        except SchemaError as error:
            *_, reason = str(error).strip().splitlines()
            reason = reason.removeprefix("error: ").strip()
            raise ValueError(f"{pattern!r} is not a regular expression (Rust's regex): {reason}") from None

    def found_in(self, text: str) -> bool:
        """Whether it matches somewhere in the text."""
        return self._matcher.isinstance_python(text[-LONGEST_TEXT:])

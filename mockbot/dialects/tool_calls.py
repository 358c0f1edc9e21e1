"""Which tools an answer calls now: what is offered, demanded and already there in, calls out. Pure; for every dialect.

Rules
- A tool whose result is there gives way to the tools with fewer results, in the order in which they are offered.
  Results count until the model has answered without a call; a user's message between them begins nothing new.
- "auto": two calls, then an answer in words; at once where the client allows parallel calls, else one by one.
- "required": one call in each answer, of each tool in turn, so that an agent gets to its output tool.
- A tool that the client names is "required" and the only one offered.
- A result whose call is not in the request counts for the first tool, a second one for the second.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from mockbot.dialects.answer_parts import Tool

Mode = Literal["none", "auto", "required"]
_CALLS = 2  # of an "auto" choice, before the answer


def calls_now(offered: Sequence[Tool], mode: Mode, results: Sequence[str], parallel: bool) -> tuple[Tool, ...]:
    """The tools to call; `results` are the names of the tools whose results are there, "" for an unknown one."""
    left = 1 if mode == "required" else min(_CALLS, len(offered)) - len(results)
    if not offered or mode == "none" or left <= 0:
        return ()
    unknown = [offered[n % len(offered)].name for n in range(results.count(""))]
    count = Counter([*filter(None, results), *unknown])
    fewest_first = sorted(offered, key=lambda tool: count[tool.name])
    return tuple(fewest_first[: left if parallel and mode == "auto" else 1])

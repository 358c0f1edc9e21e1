"""The records that a run with a system under test has beside the usual ones: what the users' answers say."""

from dataclasses import dataclass
from typing import Literal

from mockbot.dialects.identified_text import Piece

# claimed: the answer says that it is whole (finish_reason, [DONE], a complete JSON document); silent: it ended without
# an error and without saying so; broken: the user can see that there is no answer, or not all of it.
End = Literal["claimed", "silent", "broken"]


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """The identity of one attempt at the system, and what its answer's text says."""

    prompt: str
    n: int  # of the attempt
    trace: str
    mark: str
    end: End
    pieces: tuple[Piece, ...] = ()
    words: int = 0  # in the whole text
    begins: str = ""  # the text's beginning where no provider wrote it, or why the answer could not be read
    degraded: bool = False  # an apology, by the system file's own rule
    kind: Literal["answer"] = "answer"

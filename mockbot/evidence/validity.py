"""What a validity check says: that it holds, or what is wrong and what to do about it. Pure.

The rule: a check fails only with a `Problem`, and that cannot be made without saying what to do.
"""

from dataclasses import dataclass
from typing import NamedTuple

SEE_LOGS = "see the logs in the run folder"
LOGS = f"{SEE_LOGS}, and run again"  # a remedy of many checks


class Problem(NamedTuple):
    """Why a run says nothing about the client, and what to do, as the ends of one sentence: "FOUND; REMEDY"."""

    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ValidityCheck:
    """The result of one check, made by `checked`. `says`: the reason when it failed, else what was found."""

    name: str
    ok: bool
    says: str


def checked(name: str, problem: Problem | None, holds: str) -> ValidityCheck:
    """`holds`: what to say without a problem."""
    return ValidityCheck(name, ok=problem is None, says=holds if problem is None else "; ".join(problem))

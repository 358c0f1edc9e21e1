"""The scope of a measure or of an expectation: the whole run, or a part of it. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

Selector = Literal["phase", "group", "tier", "provider"]
SELECTORS: tuple[Selector, ...] = get_args(Selector)


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole run, narrowed by each name that is given."""

    phase: str | None = None
    group: str | None = None
    tier: str | None = None
    provider: str | None = None

    def __str__(self) -> str:
        names = ((selector, getattr(self, selector)) for selector in SELECTORS)
        return ", ".join(f"{selector} {name}" for selector, name in names if name is not None) or "whole run"

"""Labels of moments in, the lane of each out, so that none covers another on a phone. Pure.

A page without scripts cannot measure text, so a character counts as CHARACTER of the drawing's width on a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTER = 7.5 / 360  # px of a letter of .75rem, and of the drawing on a screen of 390 px
GAP = 10 / 360


@dataclass(frozen=True, slots=True)
class Label:
    """`left`: its begin as a share of the width, moved left where it would leave the drawing. Lane 0 is on top."""

    text: str
    left: float
    lane: int


@dataclass(frozen=True, slots=True)
class Lanes:
    """`lanes`: how many the labels need, 1 at least."""

    lanes: int
    labels: tuple[Label, ...]


def in_lanes(moments: Sequence[tuple[float, str]]) -> Lanes:
    """Each label in the highest lane where it is free; `moments`: share of the width and text, in order."""
    ends: list[float] = []
    labels = []
    for share, text in moments:
        width = CHARACTER * len(text) + GAP
        left = max(0.0, min(share, 1 - width))
        lane = next((lane for lane, end in enumerate(ends) if end <= left), len(ends))
        ends[lane : lane + 1] = [left + width]
        labels.append(Label(text, left, lane))
    return Lanes(max(1, len(ends)), tuple(labels))

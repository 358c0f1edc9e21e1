"""What the texts of posts say beside their times: shares of errors, HTTP statuses, clock times. Pure.

Prose is never taken for more than it is: a share must stand in a sentence about failures, a status must be one that a
chatbot API sends, and clock times become comments that the reader may act on.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mockbot.incidents.incident import Point

STATUSES = (400, 401, 403, 408, 429, 500, 502, 503, 504, 529)
MOST_PROPOSALS = 5
_SENTENCE = re.compile(r"[^.!?]*(?:\.\d[^.!?]*)*")
_SHARE = re.compile(r"(?<![\d.])(\d{1,2}(?:\.\d{1,2})?|100) ?%")
_ABOUT_FAILURES = re.compile(r"error|fail|request|traffic|affected|impact|timeout", re.IGNORECASE)
_ABOUT_SUCCESS = re.compile(r"uptime|availab|succe|recover|restor|mitigat|capacity|rolled|deploy", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\d.:])([45]\d\d)(?![\d.:%])")
_CLOCK = re.compile(
    r"(?<![\d:])([01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?[ap]m)? ?(?:UTC|GMT|P[SD]T|E[SD]T|CES?T|BST)", re.IGNORECASE
)


class Proposal(NamedTuple):
    """Something in a post's text, with that post."""

    text: str
    post: Point


def shares(posts: Sequence[Point]) -> list[tuple[float, Point]]:
    """Shares (0..1) of requests that failed, by the texts, each with its post."""
    return [
        (float(found) / 100, post)
        for post in posts
        for sentence in _SENTENCE.findall(post.says)
        if _ABOUT_FAILURES.search(sentence) and not _ABOUT_SUCCESS.search(sentence)
        for found in _SHARE.findall(sentence)
        if float(found) > 0
    ]


def status(posts: Sequence[Point]) -> Proposal | None:
    """The first HTTP status of a failure that a text names."""
    for post in posts:
        for sentence in _SENTENCE.findall(post.says):
            if re.search(r"error|status|HTTP|response|fail", sentence, re.IGNORECASE):
                for found in _STATUS.findall(sentence):
                    if int(found) in STATUSES:
                        return Proposal(found, post)
    return None


def clock_times(posts: Sequence[Point]) -> Iterator[Proposal]:
    """Clock times with their zone in the texts, at most MOST_PROPOSALS of them."""
    found = (Proposal(match[0], post) for post in posts for match in _CLOCK.finditer(post.says))
    for _, proposal in zip(range(MOST_PROPOSALS), found, strict=False):
        yield proposal

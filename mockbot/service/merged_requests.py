"""The requests that several processes have recorded as one list, in the order in which they ended. Pure.

Each process counts its own requests from 0; here each gets a number that no other request of the run has. A request
that is seen for the first time has a greater number than all that were seen before, as with one process.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from operator import attrgetter

from mockbot.evidence.records import Request
from mockbot.service.request_recorder import KEPT

Found = tuple[Sequence[Request], Sequence[Request]]  # those that have ended since the last look, and the others


class MergedRequests:
    """`had`: how many of each source's finished requests are known.

    `replicas`: which replica of its provider each source is, from 1, or None.
    """

    def __init__(self, replicas: Sequence[int | None]) -> None:
        self._next = 0
        self._replicas = replicas
        self.forget()

    def forget(self) -> None:
        """A new run begins."""
        self.had = [0] * len(self._replicas)
        self._numbers: dict[tuple[int, int], int] = {}  # (source, its number) -> number, of those that have not ended
        self._finished: deque[Request] = deque(maxlen=KEPT)
        self._dropped = 0
        self._open: list[Request] = []

    def take(self, found: Sequence[Found]) -> None:
        """What each source has recorded since its last look."""
        every = [(source, each) for source, kinds in enumerate(found) for kind in kinds for each in kind]
        for source, each in sorted(every, key=lambda pair: pair[1].start):
            if (source, each.number) not in self._numbers:
                self._numbers[source, each.number] = self._next
                self._next += 1
        ended = []
        for source, (finished, _) in enumerate(found):
            self.had[source] += len(finished)
            ended += [self._told(source, each, self._numbers.pop((source, each.number))) for each in finished]
        for each in sorted(ended, key=attrgetter("end")):
            self._dropped += len(self._finished) == KEPT
            self._finished.append(each)
        self._open = [
            self._told(source, each, self._numbers[source, each.number])
            for source, (_, unfinished) in enumerate(found)
            for each in unfinished
        ]

    def _told(self, source: int, request: Request, number: int) -> Request:
        return replace(request, number=number, replica=self._replicas[source])

    def since(self, number: int) -> tuple[list[Request], list[Request]]:
        """All but the first `number` finished requests, and those under way at the last look."""
        return list(islice(self._finished, max(0, number - self._dropped), None)), self._open

"""What providers and proxies saw of a client that keeps no journal, in; its Attempts and Prompts out. Pure.

Which requests are attempts for the same prompt, in this order:
1. the header `x-mockbot-prompt`, when the client sends one: same key and same value;
2. `x-stainless-retry-count`, as the SDKs of OpenAI and Anthropic send it: 0 begins a prompt, n > 0 goes on with one of
   the same key and body whose last attempt was a lower number, failed, and ended before;
3. else the same key and body, asked again after it had failed and ended, and not more than GIVEN_UP later.
A request of kind 2 or 3 that goes to another provider within FALLS_OVER of the failure goes on with the same prompt.
Where several prompts fit, the one that has waited longest is taken: the attempts of many users who ask the same thing
are shared out evenly. Once an attempt was answered or is still open, no later attempt is assigned to its prompt.

What only the wire knows: an answer is cut off when the proxy closed its connection during or after it, and a retry
whose earlier attempts nobody saw tells that these were refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mockbot.evidence.records import Attempt, Outcome, Prompt, Request

# Wall seconds, since a client that is not ours keeps its own clock.
GIVEN_UP = 120.0  # the longest wait that openai-python 3.54 honours (research: incidents §5.1)
FALLS_OVER = 10.0
FORGOTTEN = 3600.0  # after which nothing is an answer to a failure any more


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection that the proxy cut off before its client closed it: `port` as the service saw it."""

    provider: str
    port: int
    how: Outcome


@dataclass(slots=True)
class _Asked:
    """A prompt in the making."""

    id: str
    key: str
    requests: list[Request] = field(default_factory=list)
    unseen: int = 0  # attempts that no provider saw

    def take(self, request: Request) -> None:
        """One more attempt; its number tells how many before it nobody saw."""
        before = self.last.retry if self.requests else -1
        if request.retry is not None and before is not None:
            self.unseen += max(0, request.retry - before - 1)
        self.requests.append(request)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    @property
    def failed(self) -> bool:
        return self.last.outcome not in ("ok", "unfinished")


def journal_of(
    requests: Iterable[Request], wires: Iterable[Wire], group: str, speed: float = 1.0
) -> list[Attempt | Prompt]:
    """Every prompt after its attempts, in the order in which they were asked. `speed`: of the run; the client's own
    clock goes by the wall.
    """
    seen = sorted(requests, key=lambda request: (request.start, request.number))
    cut = {(wire.provider, wire.port): wire.how for wire in wires}
    lines: list[Attempt | Prompt] = []
    for asked in _grouped(_as_felt(seen, cut), speed):
        lines += _attempts(asked, group)
        lines.append(_prompt(asked, group))
    return lines


def _as_felt(requests: Sequence[Request], cut: Mapping[tuple[str, int], Outcome]) -> list[Request]:
    """The last answer on a connection that the proxy cut never arrived whole."""
    last = {(request.provider, request.port): request.number for request in requests}
    return [
        replace(request, outcome=cut[where])
        if (where := (request.provider, request.port)) in cut
        and last[where] == request.number
        and request.outcome in ("ok", "timeout", "slow", "unfinished")
        else request
        for request in requests
    ]


def _grouped(requests: Iterable[Request], speed: float) -> list[_Asked]:
    asked: list[_Asked] = []
    named: dict[tuple[str, str], _Asked] = {}
    waiting: dict[tuple[str, str], list[_Asked]] = {}  # those that may go on
    for request in requests:
        mine = waiting.setdefault((request.key, request.body), [])
        mine[:] = [each for each in mine if each.failed and request.start - each.last.end <= FORGOTTEN * speed]
        found = _continued(request, mine, speed) if request.prompt is None else named.get((request.key, request.prompt))
        if found is None:
            found = _Asked(request.prompt or f"{request.key}/{len(asked)}", request.key)
            asked.append(found)
            if request.prompt is None:
                mine.append(found)
            else:
                named[request.key, request.prompt] = found
        found.take(request)
    return asked


def _continued(request: Request, mine: list[_Asked], speed: float) -> _Asked | None:
    fitting = [asked for asked in mine if asked.last.end <= request.start and _follows(request, asked.last, speed)]
    return min(fitting, key=lambda asked: asked.last.end, default=None)


def _follows(request: Request, before: Request, speed: float) -> bool:
    later = (request.start - before.end) / speed
    if request.provider != before.provider and not request.retry:
        return later <= FALLS_OVER
    if request.retry is None:
        return before.retry is None and later <= GIVEN_UP
    return request.retry > 0 and before.retry is not None and before.retry < request.retry


def _attempts(asked: _Asked, group: str) -> list[Attempt]:
    first = asked.requests[0]
    unseen = [
        Attempt(asked.id, n, group, first.provider, first.start, first.start, "refused") for n in range(asked.unseen)
    ]
    return unseen + [
        Attempt(
            prompt=asked.id,
            n=len(unseen) + n,
            group=group,
            provider=request.provider,
            start=request.start,
            end=request.end,
            outcome=request.outcome,
            status=request.status,
            first_token=request.first_token,
            retry_after=request.retry_after,
        )
        for n, request in enumerate(asked.requests)
    ]


def _prompt(asked: _Asked, group: str) -> Prompt:
    first, last = asked.requests[0], asked.last
    answered = last.outcome == "ok"
    token = None if last.first_token is None or not answered else last.start - first.start + last.first_token
    return Prompt(
        id=asked.id,
        user=asked.key,
        group=group,
        tier=tier_of(asked.key),
        intended=first.start,
        start=first.start,
        end=last.end,
        settled="answered" if answered else "unfinished" if last.outcome == "unfinished" else "gave_up",
        attempts=asked.unseen + len(asked.requests),
        provider=last.provider if answered else None,
        first_token=token,
    )


def tier_of(key: str) -> str:
    """`sk-<tier>-<user>`; every other key is of tier "free"."""
    parts = key.split("-", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "sk" and parts[1] else "free"

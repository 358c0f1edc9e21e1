"""Requests as providers and proxies recorded them in, the Attempts and Prompts of a client without a journal out. Pure.

Which requests are attempts for the same prompt, in this order:
1. the header `x-mockbot-prompt`, when the client sends one: same key and same value;
2. the number of a retry, which SDKs send in a header: 0 begins a prompt, n > 0 goes on with one of the same key and
   `body` (what its dialect says identifies it) whose last attempt has a lower number, failed, and ended before;
3. else the same key and `body`, sent again after the last attempt had failed and ended, at most GIVEN_UP later.
A request of kind 2 or 3 that goes to another provider within FALLS_OVER of the failure goes on with the same prompt.
Where several prompts fit, the one that has waited longest is taken, which distributes the attempts of many users with
the same question evenly. After an answer, and while an attempt is open, no later attempt is assigned to the prompt.

Only the proxy knows that an answer was cut off: it closed the connection during or after the answer. A retry whose
earlier attempts no provider recorded shows that these were refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mockbot.dialects.client_identity import tier_of
from mockbot.evidence.records import Attempt, Outcome, Prompt, Request

# Wall seconds, since a client that is not ours keeps its own clock.
GIVEN_UP = 120.0  # the longest wait that openai-python 3.54 honours (research: incidents §5.1)
FALLS_OVER = 10.0
FORGOTTEN = 3600.0  # after which no request continues a failed prompt


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection that the proxy cut off before its client closed it. `port`: the client side's, at the service."""

    provider: str
    port: int
    how: Outcome


@dataclass(slots=True)
class _InferredPrompt:
    id: str
    key: str
    requests: list[Request] = field(default_factory=list)
    unseen: int = 0  # attempts that no provider recorded

    def add(self, request: Request) -> None:
        """Add an attempt; a gap before its retry number is attempts that no provider recorded."""
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

    def attempts(self, group: str) -> list[Attempt]:
        """The attempts, those that no provider recorded first."""
        first, unseen = self.requests[0], self.unseen
        refused = [
            Attempt(self.id, n, group, first.provider, first.start, first.start, "refused") for n in range(unseen)
        ]
        return refused + [
            Attempt(
                self.id, n, group, each.provider, each.start, each.end, each.outcome, each.status, each.first_token,
                retry_after=each.retry_after,
            )
            for n, each in enumerate(self.requests, unseen)
        ]  # fmt: skip

    def prompt(self, group: str) -> Prompt:
        """The prompt, settled by its last attempt."""
        first, last = self.requests[0], self.last
        answered = last.outcome == "ok"
        token = None if last.first_token is None or not answered else last.start - first.start + last.first_token
        return Prompt(
            id=self.id,
            user=self.key,
            group=group,
            tier=tier_of(self.key),
            intended=first.start,
            start=first.start,
            end=last.end,
            settled="answered" if answered else "unfinished" if last.outcome == "unfinished" else "gave_up",
            attempts=self.unseen + len(self.requests),
            provider=last.provider if answered else None,
            first_token=token,
        )


def journal_of(
    requests: Iterable[Request], wires: Iterable[Wire], group: str, speed: float = 1.0
) -> list[Attempt | Prompt]:
    """Every prompt after its attempts, in the order of their first attempts. `speed`: of the run, since the client's
    own clock is the wall clock.
    """
    ordered = sorted(requests, key=lambda request: (request.start, request.number))
    cut = {(wire.provider, wire.port): wire.how for wire in wires}
    last = {(request.provider, request.port): request.number for request in ordered}
    for index, request in enumerate(ordered):
        where = (request.provider, request.port)
        recorded = request.outcome in {"ok", "timeout", "slow", "unfinished"}
        # The proxy cut the connection, so that the last answer on it did not arrive in full.
        if where in cut and last[where] == request.number and recorded:
            ordered[index] = replace(request, outcome=cut[where])
    lines: list[Attempt | Prompt] = []
    for inferred in _grouped(ordered, speed):
        lines += [*inferred.attempts(group), inferred.prompt(group)]
    return lines


def _grouped(requests: Iterable[Request], speed: float) -> list[_InferredPrompt]:
    prompts: list[_InferredPrompt] = []
    named: dict[tuple[str, str], _InferredPrompt] = {}
    open_prompts: dict[tuple[str, str], list[_InferredPrompt]] = {}  # (key, body) -> those that may have a retry
    for request in requests:
        same = open_prompts.setdefault((request.key, request.body), [])
        # In place, because the list stays in `open_prompts`; a long run must not look at all prompts of a key again.
        same[:] = [each for each in same if each.failed and request.start - each.last.end <= FORGOTTEN * speed]
        if request.prompt is not None:
            found = named.get((request.key, request.prompt))
        else:
            fitting = [each for each in same if _follows(request, each.last, speed)]
            found = min(fitting, key=lambda each: each.last.end, default=None)
        if found is None:
            found = _InferredPrompt(request.prompt or f"{request.key}/{len(prompts)}", request.key)
            prompts.append(found)
            if request.prompt is None:
                same.append(found)
            else:
                named[request.key, request.prompt] = found
        found.add(request)
    return prompts


def _follows(request: Request, before: Request, speed: float) -> bool:
    """Whether the request may be the attempt after `before`, by the rules 2 and 3."""
    waited = (request.start - before.end) / speed
    if waited < 0:
        return False
    if request.provider != before.provider and not request.retry:
        return waited <= FALLS_OVER
    if request.retry is None:
        return before.retry is None and waited <= GIVEN_UP
    return request.retry > 0 and before.retry is not None and before.retry < request.retry

"""Requests as providers and proxies recorded them in, the Attempts and Prompts of a client without a journal out. Pure.

Requests become calls, and calls become prompts:
1. Requests with the same key and the same header `x-mockbot-prompt` are one prompt, whatever else they carry.
2. A call is one request, or those that an SDK numbers by `x-stainless-retry-count`: 0 begins a call, n > 0 goes on with
   one of the same key and body whose last attempt has a lower number, failed, and ended before.
3. A call goes on with the prompt of an earlier call of the same key and body that had failed and ended at most GIVEN_UP
   before (at another provider: FALLS_OVER). Loops around an SDK number every call from 0, so the number of a call's
   first request says nothing about the prompt. Times of day in a body are no part of its fingerprint.
Where several prompts fit, the one that has waited longest is taken, which distributes the attempts of many users with
the same question evenly. After an answer, and while an attempt is open, no later attempt is assigned to the prompt.

After a failure a client may also retry with other words. Such a call begins a prompt of its own, and is noted as one
that may be a retry, when nothing tells: it came on a new connection, or differs only in numbers and ids, or waited as
long as the failure had asked. Not noted are clients of which one prompt has a second attempt: they retry in the same
words. Calls in the same words that began before the failure and were answered after it may be hedges.

Only the proxy knows that an answer was cut off: it closed the connection during or after the answer. A retry whose
earlier attempts no provider recorded shows that these were refused.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from mockbot.dialects.client_identity import tier_of
from mockbot.evidence.records import Attempt, Outcome, Prompt, Request

# Wall seconds, since a client that is not ours keeps its own clock.
GIVEN_UP = 120.0  # the longest wait that openai-python 3.54 honours (research: incidents §5.1)
FALLS_OVER = 10.0
FORGOTTEN = 3600.0  # after which no request continues a failed prompt


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection that the proxy cut off before its client closed it. `port`: the client side's, at the service.

    `before`: the number that the next request had when the cut was noticed; later ones use the same port again.
    """

    provider: str
    port: int
    how: Outcome
    before: float = inf


@dataclass(slots=True)
class _InferredPrompt:
    id: str
    key: str
    requests: list[Request] = field(default_factory=list)
    unseen: int = 0  # attempts that no provider recorded
    may_retry: str | None = None  # the id of an earlier prompt

    def add(self, call: Iterable[Request]) -> None:
        """Add attempts; a gap before a retry number is attempts that no provider recorded."""
        for request in call:
            before = self.last.retry if self.requests else None
            if request.retry is not None:
                self.unseen += request.retry - (before + 1 if before is not None and before < request.retry else 0)
            self.requests.append(request)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    @property
    def failed(self) -> bool:
        return _failed(self.last)

    def attempts(self, group: str) -> list[Attempt]:
        """The attempts, those that no provider recorded first."""
        first, unseen = self.requests[0], self.unseen
        attempts = [
            Attempt(self.id, n, group, first.provider, first.start, first.start, "refused") for n in range(unseen)
        ]
        attempts += [
            Attempt(
                self.id, n, group, each.provider, each.start, each.end, each.outcome, each.status, each.first_token,
                retry_after=each.retry_after, code=each.code,
            )
            for n, each in enumerate(self.requests, unseen)
        ]  # fmt: skip
        if self.may_retry is not None:
            attempts[0] = replace(attempts[0], may_retry=self.may_retry)
        return attempts

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
    on_port: dict[tuple[str, int], list[int]] = defaultdict(list)
    for request in ordered:
        on_port[request.provider, request.port].append(request.number)
    cut: dict[int, Outcome] = {}
    for wire in wires:
        numbers = [number for number in on_port[wire.provider, wire.port] if number < wire.before]
        cut |= {max(numbers): wire.how} if numbers else {}
    for index, request in enumerate(ordered):
        recorded = request.outcome in {"ok", "timeout", "slow", "unfinished"}
        # The proxy cut the connection, so that the last answer on it did not arrive in full.
        if request.number in cut and recorded:
            ordered[index] = replace(request, outcome=cut[request.number])
    prompts = _prompts(_calls(ordered, speed), speed)
    same_words = {prompt.key for prompt in prompts if prompt.unseen or len(prompt.requests) > 1}
    unsure = [prompt for prompt in prompts if prompt.key not in same_words and prompt.requests[0].prompt is None]
    opening: dict[tuple[str, int], int] = {}
    for request in ordered:
        opening.setdefault((request.provider, request.port), request.number)
    _note_hedges(unsure)
    _note_other_words(unsure, frozenset(opening.values()), speed)
    lines: list[Attempt | Prompt] = []
    for inferred in prompts:
        lines += [*inferred.attempts(group), inferred.prompt(group)]
    return lines


def _calls(requests: Iterable[Request], speed: float) -> list[list[Request]]:
    """By rules 1 and 2, in the order of their first requests."""
    calls: list[list[Request]] = []
    named: dict[tuple[str, str], list[Request]] = {}
    numbered: dict[tuple[str, str], list[list[Request]]] = defaultdict(list)  # (key, body) -> calls of an SDK
    for request in requests:
        call: list[Request] | None = None
        if request.prompt is not None:
            call = named.setdefault((request.key, request.prompt), [])
        elif request.retry is not None:
            same = numbered[request.key, request.body]
            same[:] = [each for each in same if _failed(each[-1]) and request.start - each[-1].end <= FORGOTTEN * speed]
            fitting = [each for each in same if _is_numbered_after(each[-1], request)]
            call = min(fitting, key=lambda each: each[-1].end, default=None)
            if call is None:
                same.append(call := [])
        else:
            call = []
        if not call:
            calls.append(call)
        call.append(request)
    return calls


def _is_numbered_after(before: Request, request: Request) -> bool:
    lower = before.retry is not None and request.retry is not None and before.retry < request.retry
    return lower and before.end <= request.start


def _failed(request: Request) -> bool:
    return request.outcome not in ("ok", "unfinished")


def _prompts(calls: Iterable[list[Request]], speed: float) -> list[_InferredPrompt]:
    """By rules 1 and 3, in the order of their first requests."""
    prompts: list[_InferredPrompt] = []
    ids: set[str] = set()
    failed: dict[tuple[str, str], list[_InferredPrompt]] = defaultdict(list)  # (key, body) -> may have another call
    for call in calls:
        first = call[0]
        same = failed[first.key, first.body] if first.prompt is None else []
        same[:] = [each for each in same if each.failed and first.start - each.last.end <= GIVEN_UP * speed]
        fitting = [each for each in same if _follows(first, each.last, speed)]
        found = min(fitting, key=lambda each: each.last.end, default=None)
        if found is None:
            name = first.prompt or f"{first.key}/{len(prompts)}"
            while name in ids:  # two clients may give their prompts the same names
                name = f"{first.key}/{name}"
            ids.add(name)
            found = _InferredPrompt(name, first.key)
            prompts.append(found)
            same.append(found)
        found.add(call)
    return prompts


def _follows(first: Request, before: Request, speed: float) -> bool:
    """Whether a call may be another one for the prompt whose last request is `before`."""
    waited = (first.start - before.end) / speed
    return 0 <= waited <= (GIVEN_UP if first.provider == before.provider else FALLS_OVER)


def _note_other_words(prompts: Sequence[_InferredPrompt], opening: frozenset[int], speed: float) -> None:
    """Prompts that may be retries in other words, of the prompt that failed last before. `opening`: the numbers of the
    requests that were the first on their connections.
    """
    failures: dict[str, list[tuple[float, int]]] = defaultdict(list)  # key -> ends of prompts, with their indexes
    for index, prompt in enumerate(prompts):
        first, earlier = prompt.requests[0], failures[prompt.key]
        at = bisect_right(earlier, (first.start, index)) - 1
        if at >= 0 and first.start - earlier[at][0] <= GIVEN_UP * speed:
            before = prompts[earlier[at][1]]
            similar = first.shape == before.last.shape
            if similar or first.number in opening or _waited_as_told(first, before.last):
                prompt.may_retry = before.id
                del earlier[at]
        if prompt.failed:
            insort(earlier, (prompt.last.end, index))


def _waited_as_told(first: Request, before: Request) -> bool:
    return before.retry_after is not None and first.start - before.end >= before.retry_after


def _note_hedges(prompts: Sequence[_InferredPrompt]) -> None:
    """Prompts that may be hedges of a failed one: the same words, begun before its end and answered after it."""
    failed: dict[tuple[str, str], list[_InferredPrompt]] = defaultdict(list)
    for prompt in prompts:
        first, last = prompt.requests[0], prompt.last
        same = failed[first.key, first.body]
        same[:] = [each for each in same if each.last.end > first.start]
        if prompt.failed:
            same.append(prompt)
        elif last.outcome == "ok" and (fits := [each for each in same if each.last.end < last.end]):
            prompt.may_retry = fits[0].id
            same.remove(fits[0])

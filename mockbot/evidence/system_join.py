"""Join both sides of a system under test: the crowd's prompts and the providers' requests in, Exchanges out. Pure.

    users ──► attempts, answers ──► SYSTEM ──► requests ──► providers
              one Exchange: a prompt, its attempts at the system, and every request that a provider got for it

A request belongs to the prompt that it names by its header, else by its trace, else by its mark. Two prompts may share
a mark by chance; then the one that was under way is meant. What names no prompt is counted by path: titles, embeddings.

An answer is one Kind, by its text alone where there is text:

    whole            every word of a provider's answer
    laundered        words are missing, and it claims to be whole
    silently_short   words are missing, and it ended without an error
    spliced          an answer that breaks off, and another one behind it
    stale, crossed   the answer to an earlier prompt of the same user, or to a prompt of another one
    canned           no provider wrote it: none had answered, or the system file says that it is an apology
    unrecognised     a provider had answered, and the text is another one: a summary, a rendering
    blank            no text
    broken           the user saw an error after text had come
    refused          the user saw an error answer instead of text: bounded and clean
    failed           neither: no connection, no answer in time
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from mockbot.evidence.records import Attempt, Prompt, Request
from mockbot.evidence.system_records import SystemAnswer

Kind = Literal[
    "whole", "laundered", "silently_short", "spliced", "stale", "crossed", "canned", "unrecognised", "blank",
    "broken", "refused", "failed",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
Way = Literal["header", "trace", "mark"]
WAYS: tuple[Way, ...] = get_args(Way)

TEXT_PATHS = ("/v1/chat/completions", "/v1/messages", "/v1/responses")
ENOUGH = 0.9  # of the requests for text must be joined, or what needs the join is undecided


@dataclass(frozen=True, slots=True)
class Exchange:
    """One prompt with both its sides; `kind` is that of its last answer. Attempts and requests in order of start."""

    prompt: Prompt
    attempts: tuple[Attempt, ...]
    answers: tuple[SystemAnswer, ...]
    upstream: tuple[Request, ...]
    kind: Kind

    @property
    def answered_by(self) -> str | None:
        """The provider whose whole answer the user got."""
        return self.answers[-1].pieces[-1].provider if self.kind == "whole" else None


@dataclass(frozen=True, slots=True)
class Joined:
    """All exchanges, in order of start. `ways`: requests joined by each way; `alone`: the others, by path."""

    exchanges: tuple[Exchange, ...]
    ways: Mapping[Way, int] = field(default_factory=dict)
    alone: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """The share of the requests for text that were joined; None without any."""
        joined, alone = sum(self.ways.values()), sum(self.alone.get(path, 0) for path in TEXT_PATHS)
        return joined / (joined + alone) if joined + alone else None


def join(
    prompts: Iterable[Prompt],
    attempts: Iterable[Attempt],
    answers: Iterable[SystemAnswer],
    requests: Iterable[Request],
    ways: Sequence[Way] = WAYS,
) -> Joined:
    """Both sides as one; `ways`: which identities may be used, in this order."""
    by_id = {prompt.id: prompt for prompt in prompts}
    of_attempts: dict[str, list[Attempt]] = defaultdict(list)
    of_answers: dict[str, list[SystemAnswer]] = defaultdict(list)
    for attempt in attempts:
        of_attempts[attempt.prompt].append(attempt)
    for answer in answers:
        of_answers[answer.prompt].append(answer)
    names = _Names(by_id, of_answers)
    upstream: dict[str, list[Request]] = defaultdict(list)
    joined: Counter[Way] = Counter()
    alone: Counter[str] = Counter()
    writers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for request in sorted(requests, key=lambda each: each.start):
        for way in ways:
            if (owner := names.prompt_of(request, way)) is not None:
                joined[way] += 1
                upstream[owner].append(request)
                if request.wrote is not None:
                    # All that share the mark: a wrong guess among them must not look like a mix-up of the system's.
                    namesakes = names.marked(request) if way == "mark" else [owner]
                    writers[request.provider, request.wrote].update(namesakes)
                break
        else:
            alone[request.path] += 1
    exchanges = []
    for prompt in sorted(by_id.values(), key=lambda each: each.start):
        tries = sorted(of_attempts[prompt.id], key=lambda each: each.n)
        said = sorted(of_answers[prompt.id], key=lambda each: each.n)
        requested = upstream[prompt.id]
        kind = _kind(prompt, tries, said, requested, writers, by_id)
        exchanges.append(Exchange(prompt, tuple(tries), tuple(said), tuple(requested), kind))
    return Joined(tuple(exchanges), joined, alone)


class _Names:
    """Which prompt an identity names."""

    def __init__(self, prompts: Mapping[str, Prompt], answers: Mapping[str, list[SystemAnswer]]) -> None:
        self._prompts = prompts
        self._traces = {answer.trace: prompt for prompt, said in answers.items() for answer in said}
        self._marks: dict[str, list[str]] = defaultdict(list)
        for prompt, said in answers.items():
            for mark in {answer.mark for answer in said}:
                self._marks[mark].append(prompt)

    def prompt_of(self, request: Request, way: Way) -> str | None:
        match way:
            case "header":
                return request.prompt if request.prompt in self._prompts else None
            case "trace":
                return self._traces.get(request.trace or "")
            case "mark":
                under_way = [name for name in self.marked(request) if self._prompts[name].start <= request.start]
                return max(under_way, key=lambda name: self._prompts[name].start, default=None)

    def marked(self, request: Request) -> list[str]:
        """Every prompt that has the mark of this request."""
        return [name for name in self._marks.get(request.mark or "", ()) if name in self._prompts]


def _kind(
    prompt: Prompt,
    attempts: Sequence[Attempt],
    answers: Sequence[SystemAnswer],
    upstream: Sequence[Request],
    writers: Mapping[tuple[str, str], set[str]],
    prompts: Mapping[str, Prompt],
) -> Kind:
    if not answers:
        return "failed"
    answer = answers[-1]
    if (foreign := _foreign(prompt, answer, writers, prompts)) is not None:
        return foreign
    if answer.end == "broken":
        status = next((each.status for each in attempts if each.n == answer.n), None)
        refused = status is not None and status >= 400
        return "broken" if answer.words else "refused" if refused else "failed"
    if not answer.words or answer.degraded:
        return "canned" if answer.degraded else "blank"
    if not answer.pieces:
        return "unrecognised" if any(request.first_token is not None for request in upstream) else "canned"
    *before, last = answer.pieces
    if not all(piece.whole for piece in before):
        return "spliced"
    return "whole" if last.whole else "laundered" if answer.end == "claimed" else "silently_short"


def _foreign(
    prompt: Prompt,
    answer: SystemAnswer,
    writers: Mapping[tuple[str, str], set[str]],
    prompts: Mapping[str, Prompt],
) -> Literal["crossed", "stale"] | None:
    """Whether it holds the answer to another prompt; None when that is not known."""
    owners = [found for piece in answer.pieces if (found := writers.get((piece.provider, piece.request)))]
    foreign = [found for found in owners if prompt.id not in found]
    if any(prompt.user not in {prompts[owner].user for owner in found} for found in foreign):
        return "crossed"
    # With its own answer beside earlier ones it is a transcript.
    return "stale" if foreign and len(foreign) == len(owners) else None

"""How the crowd asks a system under test: a prompt in, its request and what its answer says out.

A system that speaks a provider's API is asked as the provider would be, with the prompt's identity in headers and text;
an application of the user's own as its file says; anything else by `ChatUser.exchange`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gevent
from geventhttpclient.header import Headers

from mockbot.clock import Clock
from mockbot.dialects.dialect import Body
from mockbot.dialects.identified_text import recognise
from mockbot.dialects.prompt_identity import PromptIdentity, with_mark
from mockbot.evidence.records import Outcome
from mockbot.evidence.system_records import End, SystemAnswer
from mockbot.load.collector import AttemptObservation
from mockbot.load.recorder import HEADERS, Outgoing, RequestTemplate, cause, failed_status
from mockbot.testbed.system.system_file import System

SHOWN = 120  # characters of a text that no provider wrote
_NO_ERROR: frozenset[Outcome] = frozenset({"ok", "truncated", "blank"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt, for `ChatUser.exchange`: send `headers` and `text` as they are, so that both sides can be joined."""

    text: str
    headers: Mapping[str, str]
    url: str  # of the system
    key: str
    user: str
    group: str
    timeout: float  # wall seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `whole`: it says of itself that nothing is missing; `degraded`: an apology."""

    text: str = ""
    status: int = 200
    whole: bool = True
    degraded: bool = False
    first_token: float | None = None  # wall seconds from the request


Exchange = Callable[[Asked], Answer]


def outgoing_to(
    system: System, prefix: str, asked: Asked, body: Body, identity: PromptIdentity, *, stream: bool
) -> Outgoing:
    """The request of one prompt. `prefix`: path of the system's URL; `body`: of the API that it speaks, unmarked."""
    if system.ask is None:
        template = RequestTemplate.of(system.speaks or "openai", prefix, asked.key, asked.group, stream=stream)
        template.headers.update(asked.headers)
        return template.outgoing(template.encode(with_mark(body, identity.mark)))
    names = {"prompt": asked.text, "user": asked.user, "group": asked.group, "key": asked.key}
    request = system.ask.request.filled(names)
    kind, content = request.body()
    headers = {**HEADERS, **asked.headers, **request.headers}
    headers["Content-Type"] = request.headers.get("content-type", kind)
    return Outgoing(request.method, prefix + request.path, Headers(headers), content, system.ask.reader())


def observed_exchange(exchange: Exchange, asked: Asked, clock: Clock, until: float) -> tuple[AttemptObservation, bool]:
    """One attempt by a user's own `exchange`, as any other attempt; and whether its answer was an apology."""
    start = clock.now()
    deadline = gevent.Timeout(max(0.001, clock.wall(until - start)))
    try:
        with deadline:
            answer = exchange(asked)
    except gevent.Timeout as error:
        if error is not deadline:
            raise
        return AttemptObservation("timeout", start, clock.now()), False
    except OSError as error:  # of sockets, of requests, of urllib
        return AttemptObservation(cause(error), start, clock.now()), False
    outcome = failed_status(answer.status) or ("ok" if answer.text.strip() else "blank")
    first = None if answer.first_token is None else clock.scenario(answer.first_token)
    seen = AttemptObservation(
        outcome, start, clock.now(), status=answer.status, first_token=first, text=answer.text, claims=answer.whole
    )
    return seen, answer.degraded


def answer_of(
    prompt: str, n: int, identity: PromptIdentity, seen: AttemptObservation, *, degraded: bool = False
) -> SystemAnswer:
    """What the answer of one attempt says."""
    claimed: End = "claimed" if seen.claims and seen.outcome in {"ok", "blank"} else "silent"
    pieces = recognise(seen.text)
    return SystemAnswer(
        prompt=prompt,
        n=n,
        trace=identity.trace,
        mark=identity.mark,
        end=claimed if seen.outcome in _NO_ERROR else "broken",
        pieces=pieces,
        words=len(seen.text.split()),
        begins="" if pieces else seen.unreadable or seen.text[:SHOWN],
        degraded=degraded,
    )

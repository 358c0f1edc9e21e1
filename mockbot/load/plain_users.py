"""A plain Locust HttpUser at a system under test: each of its requests to the system is a prompt with one attempt.

Its tasks, waits and bodies are its own. A request counts when it has the method that the system file asks with (POST
with `speaks`); others, such as a GET of a page, pass. It carries the prompt's identity in its headers, and its mark in
the text: of a chat request in the last user message, else where the system file has `{prompt}`. The answer is read as
the system file says, and the user gets it whole, once it has come.
"""

import json
from collections.abc import Iterable, Iterator
from http.client import RemoteDisconnected
from typing import Any

import gevent
import requests
from locust import HttpUser
from locust.env import Environment
from locust.exception import StopUser
from requests.adapters import HTTPAdapter

from mockbot.dialects.families import FAMILIES
from mockbot.dialects.prompt_identity import identity_of, with_mark
from mockbot.evidence.records import Outcome, Settled
from mockbot.load.collector import AttemptObservation
from mockbot.load.measured_user import MeasuredUser
from mockbot.load.recorder import GeneratorError, cause, failed_status, observe
from mockbot.load.system_client import answer_of
from mockbot.testbed.system.system_file import System
from mockbot.units.formatting import format_duration

CHUNK = 65536  # bytes, at most; what has come is read at once


class PlainUser(MeasuredUser, HttpUser):
    """Put before a locustfile's own HttpUser. A request that the group's patience does not suffice for is a timeout."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)  # type: ignore[no-untyped-call]
        self.identity = self.generator.new_user(self.group_name)
        self._pauses = self.generator.rng(self.identity, "think")
        self.client.mount(f"{str(self.host).rstrip('/')}/", PromptAdapter(self))

    def think(self) -> float:
        """The pause between two tasks of a class that has no `wait_time`: the group's."""
        return self._pauses.expovariate(1 / self.spec.think) if self.spec.think else 0.0


class PromptAdapter(HTTPAdapter):
    """Sends the requests of one user to the system."""

    def __init__(self, user: PlainUser) -> None:
        super().__init__()
        self._user, self._generator = user, user.generator
        assert self._generator.plan.system is not None  # noqa: S101 - without one, a plain user is refused
        self._system: System = self._generator.plan.system

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """One request; StopUser when the run is over."""
        generator, user = self._generator, self._user
        if request.method != ("POST" if self._system.ask is None else self._system.ask.request.method):
            return super().send(request, *args, **options)
        if user.leaving or not generator.admits(generator.clock.now()):
            raise StopUser
        greenlet = gevent.getcurrent()
        generator.asking[greenlet] = None
        prompt = generator.collector.begin_prompt(user.identity, generator.clock.now())
        settled: Settled = "unfinished"
        try:
            n = generator.collector.begin_attempt(prompt, generator.plan.provider_of(user.group_name))
            identity = identity_of(prompt.id, generator.plan.run)
            request.headers.update(identity.headers(n))
            request.prepare_body(self._marked(request.body, identity.mark), None)
            response, error, seen = self._observed(request, {**options, "stream": True, "timeout": None})
            degraded = self._system.ask is not None and self._system.ask.degraded(seen.status or 0, seen.text)
            generator.collector.end_attempt(prompt, n, seen)
            generator.collector.record_answer(answer_of(prompt.id, n, identity, seen, degraded=degraded))
            settled = "answered" if seen.outcome == "ok" else "gave_up"
        except GeneratorError as broken:
            generator.broken = str(broken)
            raise
        finally:
            generator.collector.settle(prompt, settled)
            del generator.asking[greenlet]
        if error is not None:
            raise error
        return response

    def _observed(
        self, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> tuple[requests.Response, requests.RequestException | None, AttemptObservation]:
        """The answer, its failure as `requests` would raise it, and what was seen of it."""
        clock, ask, response = self._generator.clock, self._system.ask, requests.Response()
        start = clock.now()
        outcome: Outcome | None = None
        error: requests.RequestException | None = None
        deadline = gevent.Timeout(clock.wall(self._user.spec.patience))
        reader = FAMILIES[self._system.speaks or "openai"].chat.reader(False) if ask is None else ask.reader()
        pieces: list[bytes] = []
        try:
            with deadline:
                response = super().send(request, **options)
                if ask is None and "event-stream" in response.headers.get("content-type", ""):
                    reader = FAMILIES[self._system.speaks or "openai"].chat.reader(True)
                outcome = failed_status(response.status_code)
                for line in _lines(response.iter_content(CHUNK), pieces):
                    if outcome is None and not reader.over:
                        reader.length += len(line)
                        reader.line(line, clock.now())
            outcome = outcome or reader.outcome
        except gevent.Timeout as expired:
            if expired is not deadline:
                raise
            outcome = "timeout" if reader.first is None else "slow"
            patience = format_duration(self._user.spec.patience)
            error = requests.ReadTimeout(f"no whole answer within {patience}", request=request)
        except requests.RequestException as failure:
            outcome = _cause(failure)
            error = requests.ConnectionError(str(failure), request=request)
        if error is not None and response.raw is not None:
            response.close()
        response._content = b"".join(pieces)
        status = response.status_code if isinstance(response.status_code, int) else None
        seen = observe(outcome, start, clock.now(), reader, clock, status, response.headers.get)
        return response, error, seen

    def _marked(self, body: bytes | str | None, mark: str) -> bytes | str | None:
        try:
            asked = json.loads(body or b"")
        except (ValueError, TypeError):
            return body
        if self._system.ask is None:
            return json.dumps(with_mark(asked, mark)) if isinstance(asked, dict) and "messages" in asked else body
        return json.dumps(_at_prompt(self._system.ask.request.json_, asked, f" [{mark}]"))


def _at_prompt(template: object, asked: object, mark: str) -> object:
    """`asked`, with the mark at the end of each string where the template has the prompt."""
    match template, asked:
        case str(), str():
            return asked + mark if "{prompt}" in template else asked
        case dict(), dict():
            return {key: _at_prompt(template.get(key), value, mark) for key, value in asked.items()}
        case list(), list():
            return [_at_prompt(each, value, mark) for each, value in zip(template, asked, strict=False)] or asked
    return asked


def _lines(chunks: Iterable[bytes], pieces: list[bytes]) -> Iterator[bytes]:
    """The lines of a body, each as soon as it has come; the chunks are left in `pieces`."""
    held = b""
    for chunk in chunks:
        pieces.append(chunk)
        *whole, held = (held + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if held:
        yield held


def _cause(error: BaseException) -> Outcome:
    """What the socket did, which `requests` and urllib3 wrap several times."""
    root = error
    while (inner := root.__cause__ or root.__context__) is not None:
        root = inner
    if isinstance(root, RemoteDisconnected | requests.RequestException) or not isinstance(root, OSError):
        return "closed"  # what is no error of the socket is an end that came too early
    return cause(root)

"""Send one attempt and see what becomes of it: a request in, a AttemptObservation out, whatever the wire does.

geventhttpclient's own connection is used below Locust's session, because the session reports a request when its
headers are in and drops the exceptions of a body (research: five ways in which that hides an outage). The rules:
- `readline(b"\n")` gives a line as soon as it is there; `iter_lines` and `read(n)` wait for whole blocks;
- one deadline over everything: a server that drips a comment every now and then defeats any timeout per read;
- `Accept-Encoding: identity`, because compression holds lines back;
- a sort of failure is told by what the socket did, never by which library call happened to notice.
"""

import errno
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial

import gevent
from gevent.event import Event
from geventhttpclient.client import HTTPClient
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse

from mockbot.clock import Clock
from mockbot.evidence.records import Outcome
from mockbot.load.collector import AttemptObservation
from mockbot.load.stream_readers import Reader

TOO_EARLY = ("incomplete", "connection closed", "eof state")
REST_WITHIN = 0.25  # wall seconds for the end of the HTTP message after the answer is complete
FLAGS = {"true": True, "false": False}
OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})


class GeneratorError(Exception):
    """This machine, not the service, could not make the request: no more sockets or ports."""


class Deadline(Exception):  # noqa: N818 - it is no error of the program
    """The attempt's time is over. No subclass of gevent.Timeout: the HTTP client swallows those and tries again."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `uri` is the path on the connection's host; `reader` makes what reads the answer."""

    uri: str
    body: bytes
    headers: Headers
    reader: Callable[[], Reader]


def attempt(
    connection: HTTPClient, request: Request, clock: Clock, until: float, token: Event | None = None
) -> AttemptObservation:
    """Send, read, give up at `until` (scenario seconds). `token` is set when the first one comes.

    Raises GeneratorError, and GreenletExit in a user that is killed.
    """
    start = clock.now()
    reader = request.reader()
    response: HTTPSocketPoolResponse | None = None
    try:
        with gevent.Timeout(max(0.001, clock.wall(until - start)), Deadline()):
            response = connection.request("POST", request.uri, request.body, request.headers)
            outcome = _answer(response, reader, clock, token)
    except Deadline:
        outcome = "timeout" if reader.first is None else "slow"
    except (OSError, HTTPParseError) as error:
        outcome = _during(cause(error), response is not None, reader)
    end = clock.now()
    if response is None:
        return AttemptObservation(outcome, start, end)
    _let_go(response, outcome)
    header = partial(_header, response)
    return AttemptObservation(
        outcome,
        start,
        end,
        status=response.status_code,
        first_token=None if reader.first is None else reader.first - start,
        worst_gap=reader.worst_gap,
        tokens=reader.tokens,
        retry_after=None if outcome == "ok" else retry_after(header, clock),
        should_retry=None if outcome == "ok" else FLAGS.get(header("x-should-retry") or ""),
        length=reader.length,
    )


def cause(error: Exception) -> Outcome:
    """What an exception of the socket or of the HTTP parser means."""
    match error:
        case OSError(errno=number) if number in OURS:
            raise GeneratorError(f"this machine could not open a connection: {error}") from error
        case HTTPConnectionClosed() | ConnectionResetError() | BrokenPipeError():
            return "reset"
        case HTTPParseError():
            # Bytes that ended too early are the wire's doing; bytes that are wrong are the server's. The parser
            # (llhttp, geventhttpclient 2.6) tells them apart by its words only.
            words = str(error).lower()
            return "reset" if any(early in words for early in TOO_EARLY) else "malformed"
        case TimeoutError():  # the kernel's own: no answer to SYN, or a dead peer
            return "timeout"
        case ConnectionAbortedError():
            return "reset"
        case _:  # refused, no route, no such host: nobody there to speak to
            return "refused"


def _during(outcome: Outcome, connected: bool, reader: Reader) -> Outcome:
    """What the same failure is called once an answer had begun."""
    if outcome == "refused" and connected:
        return "reset"
    return "slow" if outcome == "timeout" and reader.first is not None else outcome


def retry_after(header: Callable[[str], str | None], clock: Clock) -> float | None:
    """Scenario seconds, from `retry-after-ms` when it is there, else from Retry-After (RFC 9110 §10.2.3)."""
    exact = _number(header("retry-after-ms"))
    if exact is not None:
        return clock.scenario(exact / 1000)
    told = header("retry-after")
    if told is None:
        return None
    seconds = _number(told)
    if seconds is not None:
        return clock.scenario(seconds)
    with suppress(ValueError):  # not a date either: the server told nothing
        return max(0.0, (parsedate_to_datetime(told).timestamp() - clock.t0) * clock.speed - clock.now())
    return None


def _answer(response: HTTPSocketPoolResponse, reader: Reader, clock: Clock, token: Event | None) -> Outcome:
    status = response.status_code
    if status == 429 or status >= 400:
        reader.length = len(response.read())
        return "rate_limited" if status == 429 else "http_error"
    if status >= 300:
        return "malformed"
    while not reader.over and (line := response.readline(b"\n")):
        reader.length += len(line)
        reader.line(line, clock.now())
        if token is not None and reader.first is not None:
            token.set()
    if not reader.over and (rest := response.read()):  # readline leaves what has no line end
        reader.length += len(rest)
        reader.line(rest, clock.now())
    return reader.outcome


def _let_go(response: HTTPSocketPoolResponse, outcome: Outcome) -> None:
    """Back to the pool when the message is complete, which takes a moment after [DONE]; closed otherwise."""
    if outcome == "ok" and not response.message_complete:
        with suppress(OSError, HTTPParseError, Deadline), gevent.Timeout(REST_WITHIN, Deadline()):
            while response.readline(b"\n"):
                pass
    response.release()


def _header(response: HTTPSocketPoolResponse, name: str) -> str | None:
    value = response.get(name)
    return value[0] if isinstance(value, list) else value


def _number(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text is not None else None
    except ValueError:
        return None

"""Send one attempt and observe it: a request in, an AttemptObservation out, whatever the wire does.

geventhttpclient's connection is used below Locust's session: with `stream=True`, FastHttpSession reports a request when
its headers have arrived and never sees a failure of its body (Locust 2.47), so that an outage looks fast. The rules:
- `readline(b"\n")` returns a line as soon as it has arrived; `iter_lines` and `read(n)` wait for whole blocks;
- one deadline over the whole attempt: a server that sends a comment now and then outlasts any timeout per read;
- `Accept-Encoding: identity`, because compression holds lines back;
- an outcome is named after what the socket did, not after the library call that noticed it.
"""

import errno
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from select import POLLIN
from socket import SocketType

import gevent
from gevent.event import Event
from gevent.monkey import get_original
from geventhttpclient.client import HTTPClient
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse

from mockbot.clock import Clock
from mockbot.dialects.client_identity import ATTEMPT, GROUP, PROMPT
from mockbot.dialects.dialect import Body
from mockbot.dialects.families import FAMILIES
from mockbot.dialects.family import Family
from mockbot.dialects.retry_after import wait_in
from mockbot.dialects.stream_readers import Reader
from mockbot.evidence.records import Outcome
from mockbot.load.collector import AttemptObservation
from mockbot.testbed.system.application_readers import ApplicationReader

# How geventhttpclient's parser (llhttp) and h11 name a message that ended too early.
CUT_SHORT = ("incomplete", "connection closed", "eof state")
REST_WITHIN = 0.25  # wall seconds for the end of the HTTP message once the answer is complete
MIN_TIMEOUT = 0.001  # wall seconds; a deadline that has passed still needs a positive timer, see gevent.Timeout
FLAGS = {"true": True, "false": False}
# errno of a connection that this machine, not the service, failed to open: out of descriptors, ports or memory.
LOCAL_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "mockbot"}


_Poll = get_original("select", "poll")


class GeneratorError(Exception):
    """This machine, not the service, could not make the request: it has no more sockets or ports."""


class Deadline(Exception):  # noqa: N818 - no error of the program
    """The attempt's time is over. No subclass of gevent.Timeout: geventhttpclient swallows those and sends again."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, ready to be sent, and the reader of its answer."""

    method: str
    uri: str
    headers: Headers
    body: bytes
    reader: Reader | ApplicationReader
    head: str | None = None  # request line and headers, ready to be sent; None: to be made of the values above


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """What all requests of one user to one provider have in common, made once.

    The headers are geventhttpclient's own type, which that client merges several times faster than a dict.
    """

    prefix: str
    headers: Headers
    stream: bool
    family: Family
    head: str | None = None  # of requests by one client after their URI, without what differs between them

    @classmethod
    def of(cls, dialect: str, prefix: str, key: str, group: str, *, stream: bool) -> "RequestTemplate":
        """`prefix`: the path of the base URL, without /v1."""
        family = FAMILIES[dialect]
        headers = Headers({**HEADERS, **family.request_headers(key), GROUP: group})
        return cls(prefix, headers, stream, family)

    def ready(self, client: HTTPClient) -> "RequestTemplate":
        """With its head, as this client writes and checks it; made for each request it would cost a tenth of it."""
        head: str = HTTPClient._build_request(client, "POST", "/", b"-", self.headers)
        return replace(self, head=head.removeprefix("POST / ").removesuffix("Content-Length: 1\r\n\r\n"))

    def encode(self, body: Body) -> tuple[str, bytes]:
        """What a user asks: the path of its request, and the dialect's JSON."""
        asked = json.dumps(self.family.ask(body, self.stream)).encode()
        return self.family.path_of(body, self.stream), asked

    def outgoing(self, encoded: tuple[str, bytes], prompt: str = "", n: int = 0, traced: str = "") -> Outgoing:
        """A request for what was encoded; of a template that is ready it is attempt n for this prompt.

        `traced`: one more line of its head, with its end.
        """
        path, body = encoded
        uri = self.prefix + path
        head = self.head and (
            f"POST {uri} {self.head}{PROMPT}: {prompt}\r\n{ATTEMPT}: {n}\r\n{traced}Content-Length: {len(body)}\r\n\r\n"
        )
        return Outgoing("POST", uri, self.headers, body, self.family.chat.reader(self.stream), head)


def attempt(
    connection: HTTPClient, outgoing: Outgoing, clock: Clock, until: float,
    first_token: Event | None = None,
) -> AttemptObservation:  # fmt: skip
    """Send, read, give up at `until` (scenario seconds). Sets `first_token` when the first one arrives.

    Raises GeneratorError, and GreenletExit in a user that is killed.
    """
    start, reader = clock.now(), outgoing.reader
    response: HTTPSocketPoolResponse | None = None
    try:
        with gevent.Timeout(max(MIN_TIMEOUT, clock.wall(until - start)), Deadline()):
            if (head := outgoing.head) is None:
                response = connection.request(outgoing.method, outgoing.uri, outgoing.body, outgoing.headers)
            else:  # `request` asks for the head before it waits for anything
                connection._build_request = lambda *_, head=head, **__: head  # type: ignore[method-assign]
                response = connection.request(outgoing.method, outgoing.uri, outgoing.body)
            outcome = _read(response, reader, clock, first_token)
    except Deadline:
        outcome = "timeout" if reader.first is None else "slow"
    except (OSError, HTTPParseError) as error:
        outcome = cause(error)
        if outcome in {"refused", "tls_error"} and response is not None:
            outcome = "reset"  # whatever it is called, it cut an answer that had begun
        elif outcome == "timeout" and reader.first is not None:
            outcome = "slow"
    end = clock.now()  # before the rest of the message is read, which is no part of the answer
    if response is None:
        return AttemptObservation(outcome, start, end)
    if outcome == "ok" and not response.message_complete:  # the end of the message comes a moment after [DONE]
        with suppress(OSError, HTTPParseError, Deadline), gevent.Timeout(REST_WITHIN, Deadline()):
            while response.readline(b"\n"):
                pass
    response.release()  # back to the pool when the message is complete, else closed
    return observe(outcome, start, end, reader, clock, response.status_code, partial(_header, response))


@cache
def trusting(authority: str) -> ssl.SSLContext:
    """A client's TLS that trusts this certificate authority (PEM) alone; one for all users, for it costs memory."""
    return ssl.create_default_context(cadata=authority)


def is_alive(connection: SocketType | None) -> bool:
    """Whether an idle connection can be used again, for geventhttpclient's pool.

    That asks select(2), which takes no descriptor above 1023: beyond about 1,000 users each prompt would open a
    connection of its own.
    """
    if connection is None or connection.fileno() < 0:
        return False
    poll = _Poll()
    poll.register(connection, POLLIN)
    return not poll.poll(0)


def _read(
    response: HTTPSocketPoolResponse, reader: Reader | ApplicationReader, clock: Clock, first_token: Event | None
) -> Outcome:
    failed = failed_status(response.status_code)
    if failed is not None:
        if response.status_code >= 400:
            reader.length = len(response.read())
        return failed
    while not reader.over and (
        line := response.read(wanted) if (wanted := reader.wanted) else response.readline(b"\n")
    ):
        reader.length += len(line)
        reader.line(line, clock.now())
        if first_token is not None and reader.first is not None:
            first_token.set()
    if not reader.over and (rest := response.read()):  # readline leaves what has no line end
        reader.length += len(rest)
        reader.line(rest, clock.now())
    return reader.outcome


def _header(response: HTTPSocketPoolResponse, name: str) -> str | None:
    value = response.get(name)
    return value[0] if isinstance(value, list) else value


def observe(
    outcome: Outcome, start: float, end: float, reader: Reader | ApplicationReader, clock: Clock,
    status: int | None, header: Callable[[str], str | None],
) -> AttemptObservation:  # fmt: skip
    """An attempt that reached an answer. Its headers about retries count only when it failed."""
    failed = outcome != "ok"
    wait = wait_in(header, clock.at(clock.now())) if failed else None
    return AttemptObservation(
        outcome,
        start,
        end,
        status=status,
        first_token=None if reader.first is None else reader.first - start,
        worst_gap=reader.worst_gap,
        tokens=reader.tokens,
        retry_after=None if wait is None else clock.scenario(wait),
        should_retry=FLAGS.get(header("x-should-retry") or "") if failed else None,
        length=reader.length,
        text=reader.text,
        claims=reader.claims,
        unreadable=reader.unreadable if isinstance(reader, ApplicationReader) else "",
    )


def failed_status(status: int) -> Outcome | None:
    """The outcome that an HTTP status means; None for a success, whose body decides."""
    if status == 429:
        return "rate_limited"
    if status >= 400:
        return "http_error"
    return "malformed" if status >= 300 else None  # no chatbot API redirects


def cause(error: Exception) -> Outcome:
    """The outcome that an exception of the socket or of the HTTP parser means. Raises GeneratorError."""
    match error:
        case OSError(errno=number) if number in LOCAL_ERRNOS:
            raise GeneratorError(f"this machine could not open a connection: {error}") from error
        case HTTPConnectionClosed():  # geventhttpclient raises it for a reset before the first byte, too
            return "reset" if isinstance(error.__context__, ConnectionResetError) else "closed"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():  # the connection ended amid the handshake
            return "closed"
        case ssl.SSLError():
            return "tls_error"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "reset"
        case HTTPParseError():
            # Bytes that ended too early are the wire's doing; bytes that are wrong are the server's. geventhttpclient
            # 2.6 has one exception for both, so only its text distinguishes them.
            text = str(error).lower()
            return "closed" if any(early in text for early in CUT_SHORT) else "malformed"
        case TimeoutError():  # the kernel's own: no answer to SYN, or a dead peer
            return "timeout"
        case _:  # refused, no route, no such host: no server to speak to
            return "refused"

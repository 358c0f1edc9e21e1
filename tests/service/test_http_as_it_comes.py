"""Requests in every way that HTTP/1 allows, on raw sockets: each is answered as a plain one is."""

import gzip
import json
import re
import socket
import zlib
from collections.abc import Callable, Iterator
from typing import cast
from urllib.parse import urlsplit

import httpx
import pytest

from tests.service.conftest import Served, serving
from tests.service.conftest import body as text_body

pytestmark = pytest.mark.live

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
OLD = HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")
MB = 2**20


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that records every request."""
    quick = {"first_token": "1ms", "tokens": {"median": 12, "p95": 12}, "pace": "1000/s"}
    with serving(tmp_path_factory.mktemp("recording")) as start:
        started = start(answer=quick, others={"anthropic": {"dialect": "anthropic", "answer": quick}})
        started.control.record_requests()
        yield started


@pytest.fixture(params=["one_service", "recording"])
def served(request: pytest.FixtureRequest) -> Served:
    """With the recorder of requests off and on."""
    return cast(Served, request.getfixturevalue(request.param))


def body(**more: object) -> bytes:
    return text_body(**more).encode()


def exchange(served: Served, *parts: bytes) -> bytes:
    """Everything that comes back until the service closes, which the last request asks for."""
    url = urlsplit(served.main)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as sock:
        for part in parts:
            sock.sendall(part)
        answer = b""
        while data := sock.recv(65536):
            answer += data
        return answer


def with_length(content: bytes, head: bytes = HEAD + b"Connection: close\r\n") -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(content) + content


def test_http_1_0_gets_its_stream_without_chunks_and_ended_by_close(served: Served) -> None:
    """RFC 9112, 6.3: such a client knows no chunks."""
    answer = exchange(served, with_length(body(stream=True), OLD))

    head, _, events = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert events.startswith(b"data: {")
    assert events.endswith(b"data: [DONE]\n\n")
    assert all(line.startswith(b"data: ") for line in events.strip().split(b"\n\n"))


@pytest.mark.parametrize("content", [body(), b"{"])
def test_http_1_0_gets_a_whole_answer_with_its_length(served: Served, content: bytes) -> None:
    """And the end of the connection."""
    head, _, rest = exchange(served, with_length(content, OLD)).partition(b"\r\n\r\n")

    assert b"content-length: %d" % len(rest) in head
    assert json.loads(rest)


def test_expect_100_continue_is_answered_before_the_body_comes(served: Served) -> None:
    """curl sends it with more than 1 MB."""
    url = urlsplit(served.main)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as sock:
        sock.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body()))

        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body())
        assert sock.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_may_come_in_chunks(served: Served, size: int) -> None:
    """With a trailer behind them."""
    pieces = [body()[at : at + size] for at in range(0, len(body()), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    answer = exchange(
        served, HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", chunks, b"0\r\nX-Sum: 1\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_requests_that_come_behind_one_another_are_answered_in_order(served: Served) -> None:
    """Pipelining: a plain one, a stream, one that is refused, a plain one."""
    requests = [with_length(each, HEAD) for each in (body(), body(stream=True), b"{")]
    answer = exchange(served, *requests, with_length(body()))

    assert re.findall(rb"HTTP/1\.1 (\d+) ", answer) == [b"200", b"200", b"400", b"200"]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("GZip", gzip.compress)],
)
def test_a_body_may_be_packed(served: Served, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """gzip and deflate."""
    answer = httpx.post(
        served.main + "/v1/chat/completions", content=pack(body()), headers={"content-encoding": encoding}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("content", [body(), gzip.compress(body())[:-9], b""], ids=["plain", "cut off", "empty"])
def test_a_body_that_is_not_packed_as_it_says_is_no_json(served: Served, content: bytes) -> None:
    """Unless it is plain JSON."""
    answer = httpx.post(served.main + "/v1/chat/completions", content=content, headers={"content-encoding": "gzip"})

    assert answer.status_code == (200 if content == body() else 400)


@pytest.mark.second
@pytest.mark.parametrize(("provider", "path", "megabytes"), [
    ("main", "/v1/chat/completions", 49), ("anthropic", "/v1/messages", 31),
])  # fmt: skip
def test_bodies_as_large_as_the_provider_takes(served: Served, provider: str, path: str, megabytes: int) -> None:
    """A picture in base64."""
    model = "gpt-4o" if provider == "main" else "claude-sonnet-4-5"
    text = {"role": "user", "content": "A" * (megabytes * MB)}
    content = json.dumps({"model": model, "max_tokens": 9, "messages": [text]})

    assert httpx.post(served.providers[provider] + path, content=content, timeout=60).status_code == 200


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/v1/nowhere"])
def test_a_browser_may_ask_before_it_asks(served: Served, path: str) -> None:
    """A preflight is answered for every path, with the headers that an SDK sends."""
    asked = "authorization, content-type, x-stainless-lang"
    answer = httpx.options(
        served.main + path,
        headers={
            "origin": "https://a.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": asked,
        },
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == asked
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("content", [body(), body(stream=True), b"{"])
def test_a_browser_may_read_the_answer(served: Served, content: bytes) -> None:
    """A whole one, a stream and an error; without an Origin there is nothing to say."""
    url = served.main + "/v1/chat/completions"
    answer = httpx.post(url, content=content, headers={"origin": "https://a.example"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in httpx.post(url, content=content).headers
    assert (
        httpx.get(served.main + "/v1/models", headers={"origin": "https://a.example"}).headers[
            "access-control-allow-origin"
        ]
        == "*"
    )

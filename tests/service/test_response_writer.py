"""Whole responses on the wire: written at once, they are what the two messages of ASGI would have been."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from mockbot.faults.http_error import HttpError
from tests.service.conftest import Serve, Served, body

pytestmark = pytest.mark.live

CHAT = "/v1/chat/completions"


def spoken(served: Served, *heads: str) -> bytes:
    """All that comes back for these requests, sent in one go; the last of them asks to close the connection."""
    address, content = urlsplit(served.main), body()
    sent = [
        f"POST {CHAT} HTTP/1.1\r\nhost: test\r\ncontent-length: {len(content)}\r\n{head}\r\n{content}" for head in heads
    ]
    heard = b""
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        connection.sendall("".join(sent).encode())
        while data := connection.recv(65536):
            heard += data
    return heard


def test_requests_in_a_row_are_answered_in_their_order(served: Served) -> None:
    """Pipelined: an answer that takes its time, a refusal that takes none, and the end when the client asked for it."""
    heard = spoken(served, "", "authorization: Basic no\r\n", "connection: close\r\n")

    answers = heard.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"401", b"200"]
    assert [b"connection: close" in answer for answer in answers] == [False, False, True]


def test_whoever_is_watched_gets_the_same_bytes(serve: Serve) -> None:
    """The way past ASGI and the way through it say the same, but for the time it took."""
    served = serve(models=["gpt-*"])

    def ask() -> tuple[int, dict[str, str], bytes]:
        response = httpx.post(served.main + CHAT, content=body(model="nobody-has-this"))
        differing = {"date", "openai-processing-ms"}
        headers = {name: value for name, value in response.headers.items() if name not in differing}
        return response.status_code, headers, response.content

    directly = ask()
    served.control.record_requests()
    watched = ask()

    assert directly == watched
    assert directly[0] == 404
    assert {"x-request-id", "openai-version", "content-type", "content-length"} <= directly[1].keys()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [502, 520, 522, 524, 530])
def test_the_edge_answers_with_its_own_page(served: Served, status: int, stream: bool) -> None:
    """Cloudflare's HTML in the provider's place, for plain and streamed requests."""
    served.break_with(HttpError.model_validate({"http_error": {"status": status, "body": "html"}}))

    response = httpx.post(served.main + CHAT, content=body(stream=stream))

    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["server"] == "cloudflare"
    assert f"| {status}: " in response.text

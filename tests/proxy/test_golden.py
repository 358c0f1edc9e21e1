"""The 127 recorded exchanges with Toxiproxy 2.12.0, replayed in order on each engine: same status, type and JSON.

Compared is what a client can notice: JSON as parsed, text as it is. Of an error in a body, only that it is one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mockbot.process.managed_process import ManagedProcess
from mockbot.proxy.toxiproxy_server import start_embedded, start_toxiproxy
from tests.ports import free_ports
from tests.proxy.wire import Reply, request

pytestmark = pytest.mark.live

GOLDEN = json.loads((Path(__file__).parent / "golden" / "control_api_2.12.0.json").read_text())
EXCHANGES: list[Mapping[str, Any]] = GOLDEN["exchanges"]
FIXED_PORTS = ("19001", "19055", "19101", "19102", "19103", "19105")

# What follows these beginnings of an error is the wording of Go, or of the machine's resolver.
WORDED_ELSEWHERE = ("bad request body: ", "listen tcp: lookup nosuchhost.invalid")
SLICER = '{"attributes":{"average_size":0,"size_variation":0,"delay":0},"name":"slicer_downstream"'
CRASHES = '{"error":"bad request body: slicer: average_size + size_variation must be at least 1","status":400}\n'


def label(index: int) -> str:
    exchange = EXCHANGES[index]
    return f"{index:03}-{exchange['method']}-{exchange['path']}-{exchange['status']}"


@pytest.fixture(scope="module", params=["embedded", "real"])
def fresh(request: pytest.FixtureRequest) -> Iterator[tuple[str, ManagedProcess]]:
    """Engines of our own: the recording begins and ends with an empty one."""
    kind = str(request.param)
    with start_embedded(1) if kind == "embedded" else start_toxiproxy(request.getfixturevalue("toxiproxy")) as child:
        yield kind, child


@pytest.fixture(scope="module")
def replayed(fresh: tuple[str, ManagedProcess]) -> list[Reply]:
    """All answers, with the recording's fixed ports moved to free ones and every random port written PORT."""
    _, child = fresh
    free = dict(zip(FIXED_PORTS, map(str, free_ports(len(FIXED_PORTS))), strict=True))
    replies = []
    for exchange in EXCHANGES:
        body = exchange.get("body")
        for port, instead in free.items():
            body = body.replace(port, instead) if body else body
        reply = request(child.url, exchange["method"], exchange["path"], body, exchange.get("headers"))
        for port, instead in free.items():
            reply = Reply(reply.status, reply.headers, reply.text.replace(f":{instead}", f":{port}"))
        replies.append(reply)
        if len(replies) == len(EXCHANGES) - 1:
            delete_all(child.url)  # the recorder did so before its last look
    delete_all(child.url)
    return replies


def delete_all(url: str) -> None:
    for name in request(url, "GET", "/proxies").json:
        if "/" not in name:  # cannot be addressed, on either engine
            request(url, "DELETE", f"/proxies/{name}")


def expected(kind: str, exchange: Mapping[str, Any]) -> tuple[int, str | None, str]:
    """The recorded answer, with the embedded engine's documented deviations."""
    status, content_type, text = exchange["status"], exchange["content_type"], exchange["answer"]
    if kind == "embedded":
        if text.startswith(SLICER):  # refuses what crashes the original
            return 400, "text/plain; charset=utf-8", CRASHES
        if "Origin" in exchange.get("headers", {}):  # refuses every browser
            return 403, "text/plain; charset=utf-8", "User agent not allowed\n"
        if exchange["path"] == "/version":
            return status, content_type, text.replace("git", "2.12.0")
        text = re.sub(r'\{"attributes":\{"average_size"[^}]*\}[^}]*\},', "", text)
        text = text.replace('"jitter":77', '"jitter":3')  # a refused update changes nothing
    return status, content_type, text


def comparable(text: str) -> object:
    """Parsed JSON, or text that is none; without random ports, an error cut where its wording is not the point."""
    text = re.sub(r":(?!19\d{3}\b)\d{4,5}\b", ":PORT", text)
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        value["error"] = next((begin for begin in WORDED_ELSEWHERE if value["error"].startswith(begin)), value["error"])
    return value


@pytest.mark.parametrize("index", range(len(EXCHANGES)), ids=label)
def test_the_recorded_exchange_is_repeated(
    index: int, fresh: tuple[str, ManagedProcess], replayed: list[Reply]
) -> None:
    """Status, content type and JSON are those of the recording; so are redirects and the nosniff header."""
    exchange, reply = EXCHANGES[index], replayed[index]

    status, content_type, text = expected(fresh[0], exchange)

    assert (reply.status, reply.type, comparable(reply.text)) == (status, content_type, comparable(text))
    assert reply.headers.get("location") == exchange.get("location")
    assert ("x-content-type-options" in reply.headers) == (status >= 400 and (content_type or "").startswith("text/"))


def test_all_127_exchanges_are_there() -> None:
    """A truncated recording would make this suite pass in silence."""
    assert len(EXCHANGES) == 127

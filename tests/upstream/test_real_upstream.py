"""A real provider behind mockbot: what passes as it is, what never passes, and who is told when a client leaves."""

import json
import socket
import time
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.upstream.conftest import Fronted, question, seen, text_in, unserved

pytestmark = pytest.mark.live
CHAT = "/v1/chat/completions"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client that keeps its connections."""
    with httpx.Client(timeout=10.0) as client:
        yield client


def last(upstream: str) -> dict[str, object]:
    """The small server's newest request."""
    return seen(upstream)[-1]


def test_a_plain_answer_passes_byte_for_byte(front: Fronted, upstream: str, client: httpx.Client) -> None:
    """Status, headers of the provider and body are the upstream's."""
    answer = client.post(front().main + CHAT, json=question(6))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert text_in(answer.content) == "w0 w1 w2 w3 w4 w5"
    assert json.loads(str(last(upstream)["body"])) == question(6)


def test_a_stream_passes_chunk_by_chunk(front: Fronted, client: httpx.Client) -> None:
    """The first chunk is there long before the last one is sent."""
    began = time.monotonic()
    with client.stream("POST", front().main + CHAT, json=question(20, stream=True, gap=0.05)) as answer:
        chunks = [(time.monotonic() - began, chunk) for chunk in answer.iter_raw()]

    assert text_in(b"".join(chunk for _, chunk in chunks)) == " ".join(f"w{n}" for n in range(20))
    assert b"".join(chunk for _, chunk in chunks).endswith(b"data: [DONE]\n\n")
    assert chunks[-1][0] - chunks[0][0] > 0.9  # 19 gaps of 0.05 s: it did not wait for the whole


def test_the_sdk_reads_it(front: Fronted) -> None:
    """OpenAI's own SDK, streamed."""
    with openai.OpenAI(api_key="sk-free-1", base_url=f"{front().main}/v1", max_retries=0) as sdk:
        stream = sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "one two three"}], stream=True
        )
        words = [chunk.choices[0].delta.content for chunk in stream]

    assert "".join(filter(None, words)) == "w0 w1 w2 "


def test_any_api_passes(front: Fronted, upstream: str, client: httpx.Client) -> None:
    """Method, path, query, headers and body of an API that no dialect knows."""
    answer = client.put(front().main + "/other/thing%20s?a=1&b=%20", content=b"\x00raw", headers={"x-mine": "yes"})

    assert (answer.status_code, answer.headers["x-other"], answer.json()) == (201, "yes", {"echo": "\x00raw"})
    request = last(upstream)
    assert (request["method"], request["target"]) == ("PUT", "/other/thing%20s?a=1&b=%20")
    assert request["headers"]["x-mine"] == "yes"  # type: ignore[index]


def test_our_key_replaces_the_clients(front: Fronted, upstream: str, client: httpx.Client) -> None:
    """Whatever the client sends as its key, in a header or in the query, stays here."""
    served = front(keys={"main": "sk-real-0123456789"})
    headers = {"authorization": "Bearer sk-free-1", "x-api-key": "sk-free-1", "x-mockbot-prompt": "people-1.1"}
    client.post(f"{served.main}{CHAT}?key=sk-free-1&a=1", json=question(), headers=headers)

    request = last(upstream)
    assert request["headers"]["authorization"] == "Bearer sk-real-0123456789"  # type: ignore[index]
    assert request["target"] == f"{CHAT}?a=1"
    assert "sk-free-1" not in str(request)
    assert "people-1.1" not in str(request)


def test_without_a_key_the_clients_passes(front: Fronted, upstream: str, client: httpx.Client) -> None:
    """A program that has its own key uses it."""
    client.post(front().main + CHAT, json=question(), headers={"authorization": "Bearer sk-own-1"})

    assert last(upstream)["headers"]["authorization"] == "Bearer sk-own-1"  # type: ignore[index]


def test_no_redirect_is_followed(front: Fronted, client: httpx.Client) -> None:
    """It passes to the client, and the key goes to no other host."""
    answer = client.get(front().main + "/redirect")

    assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:1/stolen")


def test_an_upstream_that_resets_is_felt_as_a_reset(front: Fronted, client: httpx.Client) -> None:
    """Nothing is made up for it."""
    with pytest.raises(httpx.ReadError):
        client.get(front().main + "/reset")


def test_an_upstream_that_is_not_there_is_told(front: Fronted, client: httpx.Client) -> None:
    """502 with the reason, and counted, so that the verdict is inconclusive."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    served = front(urls={"main": f"http://127.0.0.1:{port}"})

    answer = client.post(served.main + CHAT, json=question())

    assert answer.status_code == 502
    assert "could not ask the upstream" in answer.text
    assert unserved(served) == {"upstream Connection refused": 1}


def test_no_more_is_sent_than_may_be_spent(front: Fronted, upstream: str, client: httpx.Client) -> None:
    """The third of two is answered here, and counted."""
    served, before = front(spend=2), len(seen(upstream))

    assert [client.post(served.main + CHAT, json=question(1)).status_code for _ in range(3)] == [200, 200, 503]

    assert len(seen(upstream)) == before + 2
    assert unserved(served) == {"spend --spend 2": 1}


def test_slots_limit_what_is_asked_at_the_same_time(front: Fronted) -> None:
    """One slot: a second question waits while the first one's stream goes on, and is asked when that has ended."""
    served = front(provider={"upstream": "real", "slots": 1})

    with httpx.stream("POST", served.main + CHAT, json=question(400, stream=True, gap=0.05)) as first:
        parts = first.iter_raw()
        next(parts)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(served.main + CHAT, json=question(2), timeout=0.2)
        assert next(parts)
    assert httpx.post(served.main + CHAT, json=question(2)).status_code == 200


def test_a_client_that_leaves_ends_the_upstreams_answer(front: Fronted, upstream: str) -> None:
    """The upstream learns it amid its answer."""
    with httpx.stream("POST", front().main + CHAT, json=question(400, stream=True)) as answer:
        next(answer.iter_raw())
    deadline = time.monotonic() + 5
    while (left := last(upstream)["left"]) is None and time.monotonic() < deadline:
        time.sleep(0.01)

    assert left is not None

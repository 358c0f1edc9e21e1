"""What the service says of each request, for clients that keep no journal; and faults that hit so many requests."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from mockbot.evidence.records import Request
from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.service.request_recorder import KEPT, RequestRecorder, fingerprints

pytestmark = pytest.mark.live
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


def ask(bot: Mockbot, *, stream: bool = False, headers: Mapping[str, str] | None = None, timeout: float = 5) -> bytes:
    """One question through the proxy; whatever comes back, or nothing when the connection breaks."""
    client = httpx.Client(
        base_url=bot.url, headers={"authorization": "Bearer sk-plus-7"} | dict(headers or {}), trust_env=False
    )
    with client, contextlib.suppress(httpx.TransportError):
        return client.post("/v1/chat/completions", json={**BODY, "stream": stream}, timeout=timeout).content
    return b""


def seen(bot: Mockbot) -> Request:
    (request,) = bot.requests
    return request


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_ok_and_has_a_first_token(mockbot: Mockbot, stream: bool) -> None:
    """Plain or streamed: complete, with its status, key, times and headers."""
    ask(mockbot, stream=stream, headers={"x-mockbot-prompt": "p1", "x-stainless-retry-count": "2"})

    request = seen(mockbot)
    assert (request.outcome, request.status, request.key) == ("ok", 200, "sk-plus-7")
    assert (request.prompt, request.retry, request.provider) == ("p1", 2, "main")
    assert request.first_token is not None
    assert 0 < request.first_token <= request.end - request.start


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_says_which_prompt_it_is_for_and_how_its_answer_names_it(mockbot: Mockbot, stream: bool) -> None:
    """The prompt by each of its three identities; the answer by the name that its text begins with."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    body = {**BODY, "messages": [{"role": "user", "content": "hi [q7f3k2m]"}], "stream": stream}
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "x-mockbot-prompt": "people-1.3"}

    answer = httpx.post(f"{mockbot.url}/v1/chat/completions", json=body, headers=headers, trust_env=False).content

    request = seen(mockbot)
    assert (request.prompt, request.trace, request.mark) == ("people-1.3", trace, "q7f3k2m")
    assert request.streamed is stream
    assert f"[main:{request.wrote}:".encode() in answer


@pytest.mark.parametrize(
    ("fault", "stream", "outcome"),
    [
        ({"http_error": 503, "retry_after": 2}, False, "http_error"),
        ({"rate_limited": True}, True, "rate_limited"),
        ({"cut": "clean"}, True, "truncated"),
        ({"cut": "clean"}, False, "truncated"),
        ({"cut": "reset"}, True, "reset"),
        ({"cut": "closed"}, True, "closed"),
        ({"cut": "closed"}, False, "closed"),
        ({"error_event": "server_error"}, True, "error_event"),
        ({"malformed_event": 3}, True, "malformed"),
        ({"malformed_event": 3}, False, "malformed"),
        ({"blank_answer": True}, True, "blank"),
        ({"blank_answer": True}, False, "blank"),
        ({"stall": "nothing"}, True, "timeout"),
        ({"stall": "keepalive"}, True, "timeout"),
        ({"stall": "nothing", "after_tokens": 5}, True, "slow"),
    ],
)
def test_every_flaw_has_its_outcome(mockbot: Mockbot, fault: dict[str, Any], stream: bool, outcome: str) -> None:
    """What was really sent is told apart, and a client that leaves is told from a connection that breaks."""
    mockbot.fault(**fault)
    ask(mockbot, stream=stream, timeout=0.5)
    settled(mockbot)

    assert seen(mockbot).outcome == outcome


def settled(bot: Mockbot) -> None:
    """Wait until the service has noticed that the client is gone."""

    async def until() -> None:
        while not bot.requests:
            await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(until(), 10))


def test_what_it_was_told_to_wait_is_on_record(mockbot: Mockbot) -> None:
    """Retry-After as the client could read it."""
    with mockbot.fault(http_error=429, retry_after=3):
        ask(mockbot)

    assert seen(mockbot).retry_after == 3.0


def test_questions_are_told_apart_even_when_refused_at_the_edge(mockbot: Mockbot) -> None:
    """The same words have the same fingerprint, though a fault at the edge answers before anything is read."""
    with mockbot.fault(http_error=503):
        ask(mockbot)
        ask(mockbot)
        httpx.post(f"{mockbot.url}/v1/chat/completions", json={**BODY, "user": "other"}, trust_env=False)

    one, two, three = mockbot.requests
    assert one.body == two.body != three.body
    assert three.key == "127.0.0.1"


@pytest.mark.parametrize(
    ("one", "two", "same", "similar"),
    [
        ("It is 2026-11-27T19:16:15.123456+01:00. Hi", "It is 2026-11-27T19:17:01.5+01:00. Hi", True, True),
        ("[2026-11-27 23:59] Hi", "[2026-11-28 00:01] Hi", True, True),
        ("Fri, 27 Nov 2026 9:16:15 GMT", "Fri, 27 Nov 2026 10:16:17 GMT", True, True),
        ("at 1795807682.9707437", "at 1795807684.47", True, True),
        ("at 1795807682970", "at 1795807684470", True, True),
        ("News of 2026-11-27?", "News of 2026-11-26?", False, True),
        ("Attempt 1 of id 3f-a1", "Attempt 2 of id 77-bb9", False, True),
        ("caf\u00e9?", "caf\u00e8?", False, False),
        ("Bread?", "Butter?", False, False),
    ],
)
def test_the_time_of_day_is_no_part_of_a_question(one: str, two: str, same: bool, similar: bool) -> None:
    """Each attempt may say when it was made; other numbers make other questions, though similar ones."""
    first, second = (fingerprints(json.dumps({"content": text}).encode()) for text in (one, two))

    assert (first[0] == second[0], first[1] == second[1]) == (same, similar)


def test_a_long_word_takes_no_longer_than_many_short_ones() -> None:
    """Both patterns are linear: a megabyte of letters, and of digits, in less than the test's timeout."""
    assert fingerprints(b"a" * 1_000_000) != fingerprints(b"1" * 1_000_000)


def test_a_fault_hits_so_many_requests_and_no_more(mockbot: Mockbot) -> None:
    """times=2: two errors, then answers, whatever else is put in place meanwhile."""
    fault = mockbot.fault(http_error=500, times=2)
    ask(mockbot)
    mockbot.fault(blank_answer=True, times=1)
    for _ in range(3):
        ask(mockbot)

    assert [request.outcome for request in mockbot.requests] == ["http_error", "http_error", "blank", "ok"]
    assert fault.hits == 2


def test_anthropic_questions_are_answered_by_every_provider(mockbot: Mockbot) -> None:
    """Whatever SDK a program uses, it meets the same faults."""
    body = {"model": "claude-sonnet-4-5", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
    with mockbot.fault(http_error=529, times=1):
        answers = [httpx.post(f"{mockbot.url}/v1/messages", json=body, trust_env=False) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [529, 200]
    assert answers[0].json()["error"]["type"] == "overloaded_error"
    assert [request.outcome for request in mockbot.requests] == ["http_error", "ok"]


def test_the_oldest_are_dropped_and_the_count_goes_on() -> None:
    """A watch keeps the last requests; who asks for what comes after number n gets just that."""
    watch = RequestRecorder()
    for number in range(KEPT + 2):
        watch.open[number] = object()  # type: ignore[assignment]
        watch.finish(Request(number, "main", "/", "k", "b", 0, 1, "ok"))

    assert [request.number for request in watch.since(KEPT)] == [KEPT, KEPT + 1]
    assert len(watch.since(0)) == KEPT

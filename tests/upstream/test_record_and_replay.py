"""Real answers, recorded and given again: their bytes, their pace, their order; and what is never written down."""

import asyncio
import json
import os
import random
import resource
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest

from mockbot.errors import UsageError
from mockbot.faults.cut import Cut
from mockbot.upstream import answer_recording
from mockbot.upstream.answer_recording import Recorder, read_recording
from mockbot.upstream.exchange import Asked, Exchange, NotGivenError
from mockbot.upstream.replay import Replay, compiled
from tests.service.conftest import Served
from tests.upstream.conftest import Fronted, question, seen, text_in, unserved

CHAT = "/v1/chat/completions"
HEAD = '{"mockbot_recording":1}\n'
Timed = list[tuple[float, bytes]]


def ask(url: str, **more: Any) -> Timed:
    """The chunks of one answer, each with the seconds since the request."""
    began = time.monotonic()
    with httpx.stream("POST", url + CHAT, json=question(**more), timeout=20) as answer:
        return [(time.monotonic() - began, chunk) for chunk in answer.iter_raw()]


def body(chunks: Timed) -> bytes:
    """What came, as a whole."""
    return b"".join(chunk for _, chunk in chunks)


def recorded(front: Fronted, file: Path) -> Served:
    """A service that records what `main` answers."""
    return front(record={"main": file})


def replayed(front: Fronted, file: Path, speed: float = 1.0, **settings: Any) -> Served:
    """A service that gives the recording again."""
    return front(speed, provider={"replay": True}, replay={"main": file}, **settings)


def line(content: str, answer: str = "yes", *, end: str = "ok", path: str = CHAT) -> str:
    """A record of a plain answer."""
    asked = json.dumps({"messages": [{"role": "user", "content": content}]})
    values = {"method": "POST", "target": path, "body": asked, "came": 0.0, "status": 200, "headers": []}
    return json.dumps({**values, "chunks": [[0.0, answer]], "end": end}) + "\n"


def given(file: Path, content: str, **more: Any) -> str:
    """The replayed answer to a question."""
    exchange = Exchange(lambda: None)
    asked = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    Replay(file, 1.0, **more).ask(Asked("POST", CHAT.encode(), (), asked), exchange)
    return exchange.chunks[0][1].decode()


@pytest.mark.live
def test_recording_does_not_delay_and_replay_does_not_hurry(front: Fronted, tmp_path: Path, upstream: str) -> None:
    """What goes wrong with a recorder that buffers: one burst while recording, and everything at once at replay."""
    file = tmp_path / "answers.jsonl"
    real = ask(recorded(front, file).main, words=20, stream=True, gap=0.05)
    before = len(seen(upstream))
    again = ask(replayed(front, file).main, words=20, stream=True, gap=0.05)

    assert real[-1][0] - real[0][0] > 0.9  # 19 gaps of 0.05 s
    assert again[-1][0] - again[0][0] > 0.9 * (real[-1][0] - real[0][0])
    assert body(again) == body(real)
    assert len(seen(upstream)) == before


@pytest.mark.live
def test_a_replay_is_as_much_faster_as_the_scenario(front: Fronted, tmp_path: Path) -> None:
    """At speed 20 a second of the recording takes 50 ms."""
    file = tmp_path / "answers.jsonl"
    real = ask(recorded(front, file).main, words=40, stream=True, gap=0.05)

    assert ask(replayed(front, file, speed=20).main, words=40, stream=True, gap=0.05)[-1][0] < real[-1][0] / 2


@pytest.mark.live
def test_a_fault_acts_on_a_replayed_answer(front: Fronted, tmp_path: Path) -> None:
    """As on a real one."""
    file = tmp_path / "answers.jsonl"
    ask(recorded(front, file).main, words=6, stream=True)
    served = replayed(front, file)
    served.break_with(Cut.model_validate({"cut": {"how": "clean", "after_tokens": 2}}))

    assert text_in(body(ask(served.main, words=6, stream=True))) == "w0 w1"


@pytest.mark.live
def test_no_credential_is_written(front: Fronted, tmp_path: Path, upstream: str) -> None:
    """A canary in twelve places of a request, and in the answer that echoes it."""
    file, canary = tmp_path / "answers.jsonl", "sk-canary-0123456789"
    headers = {
        "authorization": f"Bearer {canary}", "x-api-key": canary, "api-key": canary, "x-goog-api-key": canary,
        "xi-api-key": canary, "cookie": f"session={canary}", "proxy-authorization": f"Basic {canary}",
        "x-amz-security-token": canary,
    }  # fmt: skip
    query = f"key={canary}&api_key={canary}&access_token={canary}&X-Amz-Signature={canary}&kept=1"
    served = recorded(front, file)
    with_key = httpx.post(f"{served.main}/other?{query}", headers=headers, content=f"echo {canary}")

    assert canary in with_key.text  # the client gets what the provider says
    written = file.read_text("utf-8")
    assert "canary" not in written
    (record,) = read_recording(file)
    assert (record.target, record.body) == (b"/other?kept=1", b"echo ***")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]
    assert httpx.post(f"{replayed(front, file).main}/other?kept=1", content="echo ***").status_code == 201


@pytest.mark.live
def test_a_killed_recorder_leaves_whole_records(front: Fronted, tmp_path: Path) -> None:
    """SIGKILL amid an answer: those before it are there."""
    file = tmp_path / "answers.jsonl"
    served = recorded(front, file)
    for words in (2, 3):
        ask(served.main, words=words)
    port = int(served.main.rpartition(":")[2])
    children = psutil.Process().children()
    service = next(each for each in children if port in {other.laddr.port for other in each.net_connections()})
    with httpx.stream("POST", served.main + CHAT, json=question(500, stream=True), timeout=5) as answer:
        parts = answer.iter_raw()
        next(parts)
        os.kill(service.pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            list(parts)

    assert [text_in(body([*each.chunks])) for each in read_recording(file)] == ["w0 w1", "w0 w1 w2"]


@pytest.mark.live
def test_a_client_that_leaves_early_keeps_what_came(front: Fronted, tmp_path: Path) -> None:
    """An SDK closes behind [DONE] and its record is whole; who left amid the answer gets that much of it again."""
    file = tmp_path / "answers.jsonl"
    served = recorded(front, file)
    with openai.OpenAI(api_key="sk-free-1", base_url=f"{served.main}/v1", max_retries=0) as sdk:
        list(sdk.chat.completions.create(model="small", messages=question(3)["messages"], stream=True))
    with httpx.stream("POST", served.main + CHAT, json=question(300, stream=True)) as answer:
        next(answer.iter_raw())
    deadline = time.monotonic() + 5
    while len(records := [*read_recording(file)]) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert [each.end for each in records][1] == "left"
    again = replayed(front, file)
    with openai.OpenAI(api_key="sk-free-1", base_url=f"{again.main}/v1", max_retries=0) as sdk:
        list(sdk.chat.completions.create(model="small", messages=question(3)["messages"], stream=True))
    with pytest.raises(httpx.RemoteProtocolError):
        ask(again.main, words=300, stream=True)


@pytest.mark.live
def test_a_request_that_was_not_recorded_is_a_404_that_names_the_nearest(
    front: Fronted, tmp_path: Path, upstream: str
) -> None:
    """It is counted, which makes the verdict inconclusive, and nothing is sent anywhere."""
    file, before = tmp_path / "answers.jsonl", len(seen(upstream))
    file.write_text(HEAD + line("What is the weather in Delft?") + line("Write a poem about tulips"), "utf-8")
    served = replayed(front, file)

    missed = httpx.post(served.main + CHAT, json={"messages": [{"role": "user", "content": "Write a poem on bees"}]})

    assert missed.status_code == 404
    assert "nearest: line 3 of answers.jsonl" in missed.json()["error"]["message"]
    assert unserved(served) == {f"replay POST {CHAT} (nearest: line 3 of answers.jsonl)": 1}
    assert len(seen(upstream)) == before


def test_equal_requests_are_answered_in_the_order_recorded(tmp_path: Path) -> None:
    """And then from the beginning."""
    file = tmp_path / "answers.jsonl"
    file.write_text(HEAD + line("dice", "3") + line("coin", "heads") + line("dice", "5"), "utf-8")
    replay, answers = Replay(file, 1.0), []
    for _ in range(3):
        exchange = Exchange(lambda: None)
        asked = b'{"messages": [{"content": "dice", "role": "user"}]}'  # another layout of the same
        replay.ask(Asked("POST", CHAT.encode(), (), asked), exchange)
        answers.append(exchange.chunks[0][1])

    assert answers == [b"3", b"5", b"3"]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("result of call_8aFq03kLm: 18 degrees", "result of call_Zk19xQw7B: 18 degrees"),
        ("at 2026-11-27T19:16:02Z it rained", "at 2026-11-28T07:01:55.123+02:00 it rained"),
        ("it is 19:16:02", "it is 07:01:55"),
        ("created 1795721012", "created 1795799999.25"),
        ("id 7d444840-9dc0-11d1-b245-5ffdce74fad2", "id 16fd2706-8baf-433b-82eb-8c7fada847da"),
        ("When will it be back? [q7f3k2m]", "When will it be back? [qk2m7f3]"),
    ],
)
def test_what_changes_by_itself_is_no_difference(tmp_path: Path, was: str, now: str) -> None:
    """Ids and times, in a tool's result or anywhere else; a request that is the same goes before one that is alike."""
    file = tmp_path / "answers.jsonl"
    file.write_text(HEAD + line(was, "alike") + line(now + "!", "same"), "utf-8")

    assert given(file, now) == "alike"
    assert given(file, now + "!") == "same"


@pytest.mark.parametrize(("was", "now"), [("18 degrees", "19 degrees"), ("on 2026-11-27", "on 2026-11-28"), ("a", "b")])
def test_what_a_question_is_about_is_a_difference(tmp_path: Path, was: str, now: str) -> None:
    """Unless --replay-ignore says otherwise."""
    file = tmp_path / "answers.jsonl"
    file.write_text(HEAD + line(f"It is {was}"), "utf-8")

    with pytest.raises(NotGivenError):
        given(file, f"It is {now}")
    assert given(file, f"It is {now}", ignore=[r"\d+", "[ab]$", '[ab]"']) == "yes"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no recording"),
        ("{}\n", ":1: this is no recording of mockbot's"),
        ('{"mockbot_recording": 2}\n', ":1: a recording of format 2; this mockbot reads format 1"),
        (HEAD + line("a") + line("b")[:40] + "\n" + line("c"), ":3: this record is damaged"),
        (HEAD + line("a").replace('"end"', '"fin"'), ":2: this record is damaged: there is no 'end'"),
        (HEAD + line("a", end="maybe"), ":2: this record is damaged: its end is 'maybe'"),
    ],
)
def test_a_damaged_recording_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    """Before anything starts."""
    file = tmp_path / "answers.jsonl"
    file.write_text(text, "utf-8")

    with pytest.raises(UsageError, match=says):
        list(read_recording(file))


def test_a_line_without_its_end_is_what_a_kill_leaves(tmp_path: Path) -> None:
    """The records before it count."""
    file = tmp_path / "answers.jsonl"
    file.write_text(HEAD + line("a") + line("b")[:40], "utf-8")

    assert len(list(read_recording(file))) == 1


def test_an_expression_that_is_none_is_refused() -> None:
    """With the option's name."""
    with pytest.raises(UsageError, match="--replay-ignore"):
        compiled(["("])


class _Large:
    scale = 1.0

    def ask(self, _: Asked, exchange: Exchange) -> None:
        exchange.begin(200, [])
        for size in (5, 60, 5):
            exchange.add(bytes(size))
            exchange.take()
        exchange.finish("ok")


def test_an_answer_without_an_end_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than a recording takes is not recorded; what is not UTF-8 is, byte for byte."""
    monkeypatch.setattr(answer_recording, "LARGEST", 64)
    recorder = Recorder(_Large(), tmp_path / "answers.jsonl", print)
    recorder.ask(Asked("POST", b"/large", (), b"\xff\x00"), Exchange(lambda: None))
    monkeypatch.setattr(answer_recording, "LARGEST", 80)
    recorder.ask(Asked("POST", b"/small", (), b"\xff\x00"), Exchange(lambda: None))

    (record,) = read_recording(tmp_path / "answers.jsonl")
    assert (record.target, record.body, [len(each) for _, each in record.chunks]) == (
        b"/small",
        b"\xff\x00",
        [5, 60, 5],
    )


def test_a_full_disk_is_told_and_leaves_what_was_written(tmp_path: Path) -> None:
    """The note makes the run inconclusive; the line that did not fit is the last one, and replay leaves it out."""
    file, notes = tmp_path / "answers.jsonl", list[str]()
    recorder = Recorder(_Large(), file, notes.append)
    recorder.ask(Asked("POST", b"/first", (), b""), Exchange(lambda: None))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, limits[1]))
    try:
        for _ in range(2):
            recorder.ask(Asked("POST", b"/second", (), b""), Exchange(lambda: None))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    recorder.ask(Asked("POST", b"/third", (), b""), Exchange(lambda: None))

    assert notes == [f"could not write the recording {file}: File too large; what came after is not in it"]
    assert [record.target for record in read_recording(file)] == [b"/first"]


def mixed(number: int, rng: random.Random) -> tuple[str, dict[str, Any]]:
    """One request of many kinds; every id and time in it is another one each time."""
    call = f"call_{rng.randrange(10**9):09d}x"
    at = f"2026-11-{rng.randrange(1, 29):02d}T{rng.randrange(24):02d}:{rng.randrange(60):02d}:07Z"
    words = question(1 + number % 7)["messages"]
    result = [
        {"role": "assistant", "tool_calls": [{"id": call, "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": call, "content": json.dumps({"at": at, "degrees": number})},
    ]
    return [
        (CHAT, {"model": "small", "messages": words, "gap": 0}),
        (CHAT, {"model": "small", "messages": words, "gap": 0, "stream": True, "n": number}),
        (CHAT, {"model": "small", "messages": [*words, *result], "gap": 0, "stream": number % 2 == 0}),
        (f"/other/{number}?page={number % 3}", {"any": number, "sent": at}),
    ][number % 4]


@pytest.mark.live
@pytest.mark.second
async def test_a_thousand_mixed_requests_are_all_found_again(front: Fronted, tmp_path: Path) -> None:
    """Plain, streamed, after a tool's result, of an unknown API; with other ids and times: no false miss."""
    file, seeds = tmp_path / "answers.jsonl", (random.Random(1), random.Random(2))

    async def all_of(url: str, rng: random.Random) -> list[tuple[int, bytes]]:
        limit = asyncio.Semaphore(16)
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:

            async def one(path: str, asked: dict[str, Any]) -> tuple[int, bytes]:
                async with limit:
                    answer = await client.post(path, json=asked)
                    return answer.status_code, answer.content

            return await asyncio.gather(*[one(*mixed(number, rng)) for number in range(1000)])

    real = await all_of(recorded(front, file).main, seeds[0])
    again = await all_of(replayed(front, file).main, seeds[1])

    assert sum(1 for _ in read_recording(file)) == 1000
    assert [status for status, _ in again] == [status for status, _ in real]
    assert {status for status, _ in again} == {200, 201}

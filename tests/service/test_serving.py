"""The service process seen from outside: what it does with its clients, its queue and its clock."""

import asyncio
import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from mockbot.clock import Clock
from mockbot.evidence.records import ServiceSecond
from mockbot.faults.crash import Crash
from mockbot.faults.http_error import HttpError
from mockbot.faults.maintenance import Maintenance
from tests.service.conftest import Serve, Served, body
from tests.service.values import active

pytestmark = pytest.mark.live

SLOW = {"first_token": "30s", "tokens": {"median": 1, "p95": 1}}
QUICK = {"first_token": "1ms", "tokens": {"median": 3, "p95": 3}, "pace": "1000/s"}
PATH = "/v1/chat/completions"


def totals(served: Served) -> Counter[str]:
    """What was seen so far, summed over the seconds that are complete (the current one is waited for)."""
    now = max((second.t for second in served.control.seconds(0)), default=-1)
    until(lambda: max((second.t for second in served.control.seconds(0)), default=-1) > now)
    sums: Counter[str] = Counter()
    for second in served.control.seconds(0):
        sums.update(
            {
                name: getattr(second, name)
                for name in ("offered", "admitted", "refused", "failed", "finished", "abandoned")
            }
        )
        sums.update(second.felt)
    return +sums


def last_second(served: Served) -> ServiceSecond:
    """The newest complete second."""
    return served.control.seconds(0)[-1]


def until(holds: object, within: float = 20.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + within
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "it never happened"
        with contextlib.suppress(TimeoutError):
            asyncio.run(asyncio.wait_for(asyncio.Event().wait(), 0.02))


@contextmanager
def asking(served: Served, n: int, **more: object) -> Iterator[httpx.Client]:
    """n requests under way, none answered; leaving the block abandons them."""

    async def ask_all(stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits(max_connections=n)) as client:
            tasks = [asyncio.create_task(client.post(served.main + PATH, content=body(**more))) for _ in range(n)]
            await stop.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(ask_all(stop),))
    thread.start()
    try:
        with httpx.Client(base_url=served.main, timeout=60, trust_env=False) as client:
            yield client
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_a_full_queue_refuses_with_retry_after(serve: Serve) -> None:
    """Slot and queue are taken: 503 in OpenAI's words, and the wait in whole wall seconds and in milliseconds."""
    served = serve(speed=20, slots=1, queue={"limit": 1}, retry_after="30s", answer=SLOW | {"first_token": "1h"})
    with asking(served, 2) as client:
        until(lambda: served.control.seconds(0) and last_second(served).queued == 1)

        response = client.post(PATH, content=body())

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "server_is_overloaded"
    assert (response.headers["retry-after"], response.headers["retry-after-ms"]) == ("2", "1500")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fate", "left"), [("continues", (1, 1)), ("leaves_queue", (1, 0)), ("stops", (0, 0))])
def test_the_fate_of_abandoned_work(serve: Serve, fate: str, left: tuple[int, int], stream: bool) -> None:
    """One running and one queued client hang up: what is left of their work is what the scenario says."""
    served = serve(speed=10, slots=1, queue={"limit": 5}, abandoned_work=fate, answer=SLOW | {"first_token": "1h"})
    with asking(served, 2, stream=stream):
        until(lambda: served.control.seconds(0) and (last_second(served).running, last_second(served).queued) == (1, 1))

    until(lambda: sum(second.abandoned for second in served.control.seconds(0)) == 2)
    now = last_second(served).t
    until(lambda: last_second(served).t > now)
    assert (last_second(served).running, last_second(served).queued) == left
    assert last_second(served).wasted == pytest.approx(left[0])


def test_waiting_too_long_in_the_queue_is_a_refusal(serve: Serve) -> None:
    """max_wait turns a queued request away with the same words as a full queue."""
    served = serve(speed=10, slots=1, queue={"limit": 5, "max_wait": "3s"}, answer=SLOW | {"first_token": "1h"})
    with asking(served, 1) as client:
        until(lambda: served.control.seconds(0) and last_second(served).running == 1)

        response = client.post(PATH, content=body(stream=True))

    assert response.status_code == 503
    assert totals(served) == {"offered": 2, "admitted": 1, "refused": 1, "abandoned": 1}


def test_several_tokens_share_an_event_at_high_speed(serve: Serve) -> None:
    """20,000 tokens a wall second are not 20,000 writes."""
    served = serve(speed=20, answer={"first_token": "1ms", "tokens": {"median": 2000, "p95": 2000}, "pace": "1000/s"})

    events = httpx.post(served.main + PATH, content=body(stream=True), timeout=30).text.split("\n\n")

    words = [json.loads(event[6:])["choices"][0]["delta"].get("content", "") for event in events if event[6:7] == "{"]
    assert len("".join(words).split()) == 2000
    assert len(words) < 200


def test_a_provider_in_maintenance_answers_its_model_list(serve: Serve) -> None:
    """503 until the end of the fault on the one, 200 on the other."""
    served = serve(answer=QUICK)
    fault = Maintenance.model_validate({"maintenance": True})
    served.control.set_faults(
        "main", [active(fault, end=served.control.seconds(0)[-1].t + 1000.0 if served.control.seconds(0) else 1000.0)]
    )

    answer, models = httpx.post(served.main + PATH, content=body()), httpx.get(served.main + "/v1/models")

    assert (answer.status_code, models.status_code) == (503, 200)
    assert 900 <= int(answer.headers["retry-after"]) <= 1000


def test_a_crash_looks_like_a_dead_process(serve: Serve) -> None:
    """Running requests are reset, new connections refused, the other provider answers; after the fault it is back."""
    served = serve(answer=SLOW, others={"other": {"answer": QUICK}})
    errors: list[type[Exception]] = []
    with httpx.Client(timeout=60, trust_env=False) as client:

        def ask() -> None:
            try:
                client.post(served.main + PATH, content=body())
            except httpx.TransportError as error:
                errors.append(type(error))

        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: any(second.running for second in served.control.seconds(0)))
        served.break_with(Crash.model_validate({"crash": True}))
        thread.join()

    with pytest.raises(httpx.ConnectError):
        httpx.get(served.main + "/v1/models")
    assert errors == [httpx.ReadError]
    assert httpx.post(served.providers["other"] + PATH, content=body()).status_code == 200
    served.break_with()
    assert httpx.get(served.main + "/v1/models").status_code == 200
    assert totals(served)["crash"] >= 1


def test_a_new_clock_is_a_new_run(serve: Serve) -> None:
    """Old seconds, faults and limits are forgotten, and seconds count from the new t0."""
    served = serve(answer=QUICK, limits={"free": "1/m"})
    httpx.post(served.main + PATH, content=body())
    served.control.start_clock(Clock.start(50.0))

    assert httpx.post(served.main + PATH, content=body()).status_code == 200
    assert totals(served)["offered"] == 1
    assert served.control.seconds(0)[0].t == 0


def test_what_was_seen_is_counted_by_second(serve: Serve) -> None:
    """Answered, failed by a fault, and not a request at all."""
    served = serve(speed=20, answer=QUICK)
    httpx.post(served.main + PATH, content=body())
    httpx.post(served.main + PATH, content="not json")
    served.break_with(HttpError.model_validate({"http_error": 500}))
    httpx.post(served.main + PATH, content=body())

    assert totals(served) == {"offered": 2, "admitted": 1, "finished": 1, "failed": 1, "http_error": 1}

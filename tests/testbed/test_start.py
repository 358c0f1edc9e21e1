"""The stage as a client meets it: the official openai SDK, through the real proxy, to the real service."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

from mockbot.clock import Clock
from mockbot.evidence.records import Action, ServiceSecond
from mockbot.scenario.schema import Scenario
from mockbot.scenario.timeline import Timeline
from mockbot.testbed.driver import Driver
from mockbot.testbed.start import Addresses, open_testbed

pytestmark = pytest.mark.live
HELLO: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there"}]
FOR_EVER = 600
SPEED = 5.0


def scenario_with(*faults: dict[str, object]) -> Scenario:
    """Everything is wrong from the first second to the last."""
    return Scenario.model_validate(
        {
            "name": "stage",
            "title": "For tests of the stage",
            "providers": {
                "main": {"answer": {"first_token": "20ms", "tokens": {"median": 12, "p95": 12}, "pace": "200/s"}}
            },
            "crowd": {"one": {"users": "100%", "policy": "once"}},
            "phases": [{"name": "bad", "lasts": f"{FOR_EVER}s", "users": 1, "faults": list(faults)}],
        }
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """One stage for all tests that leave it whole; each plays a timeline of its own on it."""
    with open_testbed(scenario_with(), SPEED, tmp_path_factory.mktemp("stage")) as addresses:
        yield addresses


@contextmanager
def played(stage: Addresses, *faults: dict[str, object], since: float = 0.0) -> Iterator[list[Action | ServiceSecond]]:
    """These faults hold, from `since` scenario seconds ago on; yields what the driver puts on record."""
    scenario = scenario_with(*faults)
    records: list[Action | ServiceSecond] = []
    driver = Driver(Timeline(scenario), stage, records.append)
    driver.start(Clock.start(SPEED, -since / SPEED))
    try:
        _wait_until(lambda: len([record for record in records if isinstance(record, Action)]) >= len(faults))
        yield records
    finally:
        driver.stop()


def _wait_until(holds: Callable[[], bool], within: float = 10.0) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def client_of(addresses: Addresses, timeout: float = 1.0) -> openai.OpenAI:
    """An SDK that does not retry, so that each test sees one attempt."""
    return openai.OpenAI(
        base_url=f"{addresses.providers['main']}/v1", api_key="sk-free-1", max_retries=0, timeout=timeout
    )


def answer_of(stage: Addresses) -> str | None:
    """One plain answer."""
    with client_of(stage) as client:
        return client.chat.completions.create(model="gpt-4o", messages=HELLO).choices[0].message.content


def words_of(stage: Addresses) -> Sequence[str]:
    """The pieces of one streamed answer."""
    with (
        client_of(stage) as client,
        client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True) as answer,
    ):
        return [chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices]


def test_a_healthy_stage_answers_plain_streamed_and_async(stage: Addresses) -> None:
    """The same request gives the same words, whichever client asks; the stream has as many."""

    async def ask() -> str | None:
        async with openai.AsyncOpenAI(base_url=f"{stage.providers['main']}/v1", api_key="sk-free-1") as client:
            answer = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
            return answer.choices[0].message.content

    with played(stage):
        plain = answer_of(stage)
        streamed = "".join(words_of(stage))
        from_async = asyncio.run(ask())

    assert plain
    assert plain == from_async
    assert len(streamed.split()) == 12


@pytest.mark.parametrize(
    ("fault", "exception"),
    [
        ({"rate_limited": True}, openai.RateLimitError),
        ({"http_error": 500}, openai.InternalServerError),
        ({"http_error": 503}, openai.InternalServerError),
        ({"maintenance": True}, openai.InternalServerError),
        ({"stall": "nothing"}, openai.APITimeoutError),
        ({"reset_peer": "0s"}, openai.APIConnectionError),
        ({"timeout": "0s"}, openai.APITimeoutError),
        ({"down": True}, openai.APIConnectionError),
        ({"crash": True}, openai.APIConnectionError),
        ({"limit_data": 20}, openai.APIConnectionError),
    ],
    ids=str,
)
def test_the_sdk_sees_its_own_exception(stage: Addresses, fault: dict[str, object], exception: type[Exception]) -> None:
    """Each fault, of the service or of the wire, reaches the SDK as the class its documentation names."""
    with played(stage, fault), pytest.raises(exception) as raised:
        answer_of(stage)

    assert type(raised.value) is exception


@pytest.mark.parametrize(
    ("fault", "exception"),
    [
        ({"cut": {"how": "reset", "after_tokens": 3}}, openai.APIConnectionError),
        ({"stall": {"sends": "nothing", "after_tokens": 3}}, openai.APITimeoutError),
        ({"error_event": {"after_tokens": 3}}, openai.APIError),
    ],
    ids=str,
)
def test_a_stream_that_breaks_in_the_middle_raises(
    stage: Addresses, fault: dict[str, object], exception: type[Exception]
) -> None:
    """After three tokens of a 200 the SDK raises, and does not retry."""
    with played(stage, fault), pytest.raises(exception):
        words_of(stage)


def test_a_clean_cut_is_silent(stage: Addresses) -> None:
    """The SDK takes an orderly end without finish_reason for a whole answer: why mockbot looks for it itself."""
    with played(stage, {"cut": {"how": "clean", "after_tokens": 3}}):
        words = words_of(stage)

    assert 0 < len("".join(words).split()) <= 4


def test_every_change_is_on_record_and_undone(stage: Addresses) -> None:
    """Faults of both layers begin when due and end with the driver; afterwards the same stage answers again."""
    faults: list[dict[str, object]] = [{"http_error": 503}, {"latency": "100ms"}, {"down": True, "at": "60s"}]
    with played(stage, *faults, since=61) as records, pytest.raises(openai.APIConnectionError):
        words_of(stage)
    words = words_of(stage)

    actions = [record for record in records if isinstance(record, Action)]
    begun = [action.fault for action in actions if action.does == "begin"]
    ended = [action.fault for action in actions if action.does == "end"]
    assert words
    assert sorted(begun) == sorted(ended) == ["bad.0.http_error", "bad.1.latency", "bad.2.down"]
    assert all(action.error is None and action.confirmed is not None for action in actions)
    assert all(action.due <= action.sent <= action.confirmed for action in actions if action.confirmed is not None)


def test_what_was_felt_is_on_record(stage: Addresses) -> None:
    """Hits on the wire and in the service arrive under their fault's id."""
    with played(stage, {"http_error": 503}, {"latency": "50ms"}) as records, pytest.raises(openai.InternalServerError):
        words_of(stage)

    seconds = [record for record in records if isinstance(record, ServiceSecond)]
    assert sum(second.felt.get("bad.0.http_error", 0) for second in seconds) == 1
    assert sum(second.felt.get("bad.1.latency", 0) for second in seconds) == 1


@pytest.mark.second
def test_a_stage_that_died_is_an_error_on_record_and_no_exception(tmp_path: Path) -> None:
    """A driver whose service is gone goes on; its changes and its looks carry the error."""
    scenario = scenario_with({"http_error": 503, "at": "3s"})
    records: list[Action | ServiceSecond] = []

    def failed(what: str) -> list[Action]:
        return [record for record in records if isinstance(record, Action) and record.fault == what]

    with open_testbed(scenario, 1.0, tmp_path) as addresses:
        driver = Driver(Timeline(scenario), addresses, records.append)
        driver.start(Clock.start())
    _wait_until(lambda: bool(failed("bad.0.http_error")))
    driver.stop()

    for what in ("bad.0.http_error", "service"):
        assert all(action.confirmed is None and action.error for action in failed(what))
        assert any("does not answer" in (action.error or "") for action in failed(what))
    assert "has ended or was killed" in (failed("service")[0].error or "")
    assert "has no record of seconds" in (failed("service")[-1].error or "")

"""Single faults by hand, through the fixture as a user's own suite has it."""

import os
import threading
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import cast

import anthropic
import openai
import pytest
import requests

from mockbot.clock import Clock
from mockbot.dialects.openai.error_bodies import HOPELESS
from mockbot.errors import UsageError
from mockbot.faults.http_error import HttpError
from mockbot.pytest_plugin.fixture import Mockbot
from mockbot.pytest_plugin.manual_faults import ManualFaults
from mockbot.pytest_plugin.session_testbed import RunningService, SessionTestbed
from mockbot.scenario.timeline import ActiveFault
from mockbot.testbed.start import Addresses
from tests.pytest_plugin.conftest import Ask
from tests.service.values import scenario_of

pytestmark = pytest.mark.live
MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


def test_nothing_is_wrong_until_something_is_put_in_place(mockbot: Mockbot, ask: Ask) -> None:
    """The service answers, and every request is on record."""
    answers = [ask(), ask("something else")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [request.outcome for request in mockbot.requests] == ["ok", "ok"]


def test_an_sdk_retries_two_errors_and_waits_for_retry_after(mockbot: Mockbot) -> None:
    """http_error=503, times=2, retry_after=0.5: the third attempt is answered, a second later at the least."""
    fault = mockbot.fault(http_error=503, times=2, retry_after=0.5)
    began = time.monotonic()
    with openai.OpenAI() as client:
        answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert answer.choices[0].message.content
    assert time.monotonic() - began >= 1.0
    assert fault.hits == 2
    mockbot.assert_resilient()


def test_the_anthropic_sdk_uses_the_same_service(mockbot: Mockbot) -> None:
    """529 is what it calls overloaded; one retry, and it is answered."""
    mockbot.fault(http_error=529, times=1)
    with anthropic.Anthropic() as client:
        answer = client.messages.create(
            model="claude-sonnet-5", max_tokens=20, messages=[{"role": "user", "content": "hi"}]
        )

    assert answer.stop_reason in {"end_turn", "max_tokens"}
    assert [request.retry for request in mockbot.requests] == [0, 1]


def test_a_fault_ends_by_time(mockbot: Mockbot, ask: Ask) -> None:
    """lasts=0.3: an error now, an answer after it."""
    fault = mockbot.fault(http_error=500, lasts=0.3)
    first = ask().status_code
    while ask().status_code == 500:
        time.sleep(0.05)

    assert first == 500
    assert fault.hits >= 1


def test_a_fault_ends_by_time_while_another_is_put(mockbot: Mockbot, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer ends the first fault while the test's thread is about to send both: the second alone holds then."""
    sent, set_faults = list[int](), mockbot._faults._service.set_faults
    due = threading.Event()

    def held_up(provider: str, faults: Sequence[ActiveFault]) -> None:
        if len(faults) == 2:
            due.set()
            while first._timer is not None and not first._lock.locked():  # until the timer is at it
                time.sleep(0.001)
        set_faults(provider, faults)
        sent.append(len(faults))

    monkeypatch.setattr(mockbot._faults._service, "set_faults", held_up)
    monkeypatch.setattr(threading.Timer, "run", lambda timer: due.wait() and timer.function())
    first = mockbot.fault(http_error=503, lasts=0.3)
    ask()
    mockbot.fault(slow={"factor": 1.5})
    assert first._timer is not None
    first._timer.join()

    assert sent == [1, 2, 1]
    assert ask().status_code == 200


def test_a_fault_ends_with_its_block(mockbot: Mockbot, ask: Ask) -> None:
    """Inside the block it holds, after it everything is well."""
    with mockbot.fault(rate_limited=True, retry_after=7):
        told = ask()

    assert (told.status_code, told.headers["retry-after"]) == (429, "7")
    assert ask().status_code == 200


def test_wire_faults_take_toxiproxys_units(mockbot: Mockbot, ask: Ask) -> None:
    """latency(300) is 300 ms; the connection that it touched is counted."""
    with mockbot.wire.latency(300) as latency:
        began = time.monotonic()
        ask()

    assert time.monotonic() - began >= 0.3
    assert latency.hits == 1


def test_a_value_that_a_wire_fault_does_not_have_is_an_error(mockbot: Mockbot) -> None:
    """A misspelt fault, a misspelt value and one too many are told at once, not ignored."""
    with pytest.raises(AttributeError, match="'lattency' is not a fault of the connection; there are down, latency"):
        mockbot.wire.lattency(300)
    with pytest.raises(UsageError, match=r"latency\.jiter: Extra inputs"):
        mockbot.wire.latency(300, jiter=1)
    with pytest.raises(UsageError, match="latency takes at most 2 values without a name: latency, jitter"):
        mockbot.wire.latency(300, 10, 1)


@pytest.mark.parametrize("fault", ["reset_peer", "limit_data"])
def test_the_wire_can_cut(mockbot: Mockbot, ask: Ask, fault: str) -> None:
    """The provider sent its answer, and the client never got it: the journal says what the client saw."""
    cut = mockbot.wire.reset_peer() if fault == "reset_peer" else mockbot.wire.limit_data(500)
    with cut, pytest.raises(requests.RequestException):
        ask()

    (attempt, _) = mockbot.journal()
    assert getattr(attempt, "outcome", None) == ("reset" if fault == "reset_peer" else "closed")


def test_down_closes_the_port(mockbot: Mockbot, ask: Ask) -> None:
    """down(): nothing listens, and afterwards it does again at the same address."""
    with mockbot.wire.down(), pytest.raises(requests.ConnectionError):
        ask()

    assert ask().status_code == 200


def test_a_port_stays_closed_until_the_last_down_ends(mockbot: Mockbot, ask: Ask) -> None:
    """Two overlapping `down` faults: the end of one does not open the port."""
    with mockbot.wire.down():
        mockbot.wire.down().remove()
        with pytest.raises(requests.ConnectionError):
            ask()

    assert ask().status_code == 200


def test_harmful_retries_are_reported_with_their_evidence(mockbot: Mockbot, ask: Ask) -> None:
    """A client that comes back at once although it was told to wait is not resilient."""
    mockbot.fault(http_error=503, retry_after=30, times=2)
    while not ask().ok:
        pass

    with pytest.raises(AssertionError, match=r"ignores_retry_after: 1 time; sk-free-1/0 .*told to wait 30s"):
        mockbot.assert_resilient()


def test_what_a_test_allows_fails_nothing(mockbot: Mockbot) -> None:
    """A program that notices the missing finish_reason and says so to its user is right."""
    mockbot.fault(cut="clean")
    with openai.OpenAI() as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        ends = [chunk.choices[0].finish_reason for chunk in stream]

    assert not any(ends)
    with pytest.raises(AssertionError, match="takes_broken_answers"):
        mockbot.assert_resilient()
    mockbot.assert_resilient(allow=["takes_broken_answers"])


def test_only_antipatterns_can_be_allowed(mockbot: Mockbot) -> None:
    """A typo would otherwise allow nothing and say so nowhere."""
    with pytest.raises(UsageError, match=r"take_broken_answers cannot .*; did you mean 'takes_broken_answers'?"):
        mockbot.assert_resilient(allow=["take_broken_answers"])
    with pytest.raises(UsageError, match="is not an anti-pattern"):
        mockbot.outage("unexpected-failure", allow=["launders_errors"])


def test_a_client_that_sent_nothing_is_not_resilient(mockbot: Mockbot) -> None:
    """No request, no evidence; the sentence says what to do."""
    with pytest.raises(pytest.fail.Exception, match=r"INCONCLUSIVE: the client sent no request.* let it ask while"):
        mockbot.assert_resilient()


def test_a_client_that_gave_up_once_is_not_resilient(mockbot: Mockbot, ask: Ask) -> None:
    """Whether it ever retries is not known after one failure."""
    mockbot.fault(http_error=503)
    ask()

    with pytest.raises(pytest.fail.Exception, match="INCONCLUSIVE: 1 failure given up and none retried"):
        mockbot.assert_resilient()


def test_a_client_that_asks_in_other_words_is_neither_accused_nor_acquitted(mockbot: Mockbot, ask: Ask) -> None:
    """A connection for each request, too: they may be twelve questions, or hammering. Naming them settles it."""
    mockbot.fault(http_error=503, retry_after=30)
    for word in "Now", "please", "tell", "me", "whether", "this", "is", "one", "question", "or", "many", "of":
        ask(word)

    with pytest.raises(pytest.fail.Exception, match=r"INCONCLUSIVE: 11 failures followed by .* x-mockbot-prompt"):
        mockbot.assert_resilient()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"lattency": 3}, "name one kind of fault"),
        ({"http_error": 503, "stall": "nothing"}, "name one kind of fault"),
        ({"http_error": 200}, "http_error: http_error.status: Input should be greater than or equal to 400"),
        ({"http_error": 503, "retry_afer": 1}, "retry_afer: Extra inputs are not permitted"),
        ({"latency": 0.3, "times": 2}, "latency hits connections, not requests"),
        ({"http_error": 503, "on": "other"}, "by hand there is one provider"),
    ],
)
def test_a_wrong_fault_is_an_error_with_a_reason(mockbot: Mockbot, fault: dict[str, object], says: str) -> None:
    """A misspelt fault is an error at once, and not silence."""
    times = fault.pop("times", None)
    assert times is None or isinstance(times, int)
    with pytest.raises(UsageError) as caught:
        mockbot.fault(times=times, **fault)

    assert says in str(caught.value)


async def test_a_coroutine_is_a_test_too(mockbot: Mockbot) -> None:
    """The service lives on a thread of its own, so a test's own loop may block or not."""
    mockbot.fault(http_error=500, times=1)
    async with openai.AsyncOpenAI() as client:
        answer = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    assert answer.choices[0].finish_reason == "stop"


def test_the_environment_points_to_the_service_and_bypasses_any_proxy(mockbot: Mockbot) -> None:
    """What SDKs read is set for the test."""
    assert os.environ["OPENAI_BASE_URL"] == f"{mockbot.url}/v1"
    assert os.environ["ANTHROPIC_BASE_URL"] == mockbot.url
    assert "127.0.0.1" in os.environ["NO_PROXY"]


def test_an_error_answer_is_as_the_test_words_it(mockbot: Mockbot, ask: Ask) -> None:
    """Headers replace the provider's own, the wait may be a date, and the record has it in seconds."""
    own = {"error": {"code": "tenant_blocked", "message": "Ask your admin."}}
    headers = {"x-should-retry": "false", "X-Request-Id": "mine"}
    with mockbot.fault(http_error=403, body=own, headers=headers, retry_after={"date": 30}):
        refused = ask()
    with mockbot.fault(http_error=503, text="upstream connect error", headers={"content-type": "text/x-envoy"}):
        plain = ask()

    assert (refused.status_code, refused.json()) == (403, own)
    assert (refused.headers["x-should-retry"], refused.headers["x-request-id"]) == ("false", "mine")
    assert parsedate_to_datetime(refused.headers["retry-after"]).tzinfo is not None
    assert 25 < (mockbot.requests[0].retry_after or 0) <= 31
    assert (plain.text, plain.headers["content-type"]) == ("upstream connect error", "text/x-envoy")


@pytest.mark.parametrize("code", sorted(HOPELESS))
def test_asking_again_without_quota_is_reported(mockbot: Mockbot, code: str) -> None:
    """It does not pass by waiting, and the SDK retries it all the same."""
    mockbot.fault(http_error=429, code=code)
    with openai.OpenAI() as client, pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    with pytest.raises(AssertionError, match=f"retries_what_cannot_succeed: .*429 {code} was answered"):
        mockbot.assert_resilient()


def test_giving_up_without_quota_is_right(mockbot: Mockbot) -> None:
    """Whoever stops there is not accused of never retrying."""
    mockbot.fault(http_error=429, code="insufficient_quota")
    for word in "one", "two", "three":
        client = openai.OpenAI(max_retries=0, default_headers={"x-mockbot-prompt": word})
        with client, pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    mockbot.assert_resilient()


def test_a_fault_for_some_requests_is_for_one_process() -> None:
    """Each replica would count for itself."""
    world = scenario_of({"main": {"replicas": 3}})
    running = RunningService(world, Addresses("", "", {"main": ""}, {}, {}, 1.0), 1)
    faults = ManualFaults(cast("SessionTestbed", None), running, Clock.start())

    with pytest.raises(UsageError, match="each of the 3 replicas would count to times=2; name one by replica="):
        faults.add(HttpError(http_error=500), times=2)

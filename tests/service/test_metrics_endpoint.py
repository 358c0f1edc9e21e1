"""What a Prometheus would read, and how retries are told apart."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mockbot.faults.cut import Cut
from mockbot.faults.http_error import HttpError
from mockbot.service.prometheus_counters import Histogram, PrometheusCounters
from tests.service.conftest import Serve, body


def metrics(url: str) -> dict[tuple[str, ...], float]:
    """Every sample: its name and label values -> its value."""
    text = httpx.get(f"{url}/metrics").text
    return {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "provider")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.live
def test_the_names_people_know(serve: Serve) -> None:
    """vLLM's gauges and histograms, HTTP responses by status, requests by tier and outcome, hits of faults."""
    served = serve(
        answer={"first_token": "1ms", "tokens": {"median": 5, "p95": 5}, "pace": "1000/s"}, limits={"plus": "1/m"}
    )

    def ask(key: str, **more: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.post(f"{served.main}/v1/chat/completions", content=body(**more), headers=headers)

    ask("sk-free-1", stream=True)
    ask("sk-plus-1")
    ask("sk-plus-1")
    served.break_with(HttpError.model_validate({"http_error": 500, "tier": "free"}))
    ask("sk-free-1")
    served.break_with(Cut.model_validate({"cut": "reset"}))
    with pytest.raises(httpx.TransportError):
        ask("sk-free-2")

    seen = metrics(served.main)
    path = "/v1/chat/completions"
    assert seen["vllm:num_requests_running",] == seen["vllm:num_requests_waiting",] == 0
    assert seen["vllm:generation_tokens_total",] == 10
    assert seen["vllm:time_to_first_token_seconds_count",] == 1
    assert seen["vllm:e2e_request_latency_seconds_bucket", "+Inf"] == 2
    assert seen["http_requests_total", path, "200"] == 3
    assert (seen["http_requests_total", path, "429"], seen["http_requests_total", path, "500"]) == (1, 1)
    assert seen["mockbot_requests_total", "finished", "no", "free"] == 1
    assert seen["mockbot_requests_total", "refused", "no", "plus"] == 1
    assert seen["mockbot_requests_total", "failed", "no", "free"] == 1
    assert seen["mockbot_requests_total", "flawed", "no", "free"] == 1
    assert (seen["mockbot_fault_hits_total", "http_error"], seen["mockbot_fault_hits_total", "cut"]) == (1, 1)
    assert seen["mockbot_slots",] == 40


def test_a_client_that_counts_is_believed() -> None:
    """The SDKs' own header, else ours."""
    counters = PrometheusCounters()

    assert counters.is_retry({b"x-stainless-retry-count": b"1"}, 0, "key")
    assert not counters.is_retry({b"x-stainless-retry-count": b"0"}, 0, "key")
    assert counters.is_retry({b"x-mockbot-attempt": b"2"}, 0, "key")


def test_the_same_question_of_the_same_client_unanswered_is_a_retry() -> None:
    """Not that of another client, and not once it was answered."""
    counters = PrometheusCounters()
    counters.settle("/", 503, "free", "refused", 7, "a", retry=False)

    assert counters.is_retry({}, 7, "a")
    assert not counters.is_retry({}, 7, "b")
    assert not counters.is_retry({}, 8, "a")
    counters.settle("/", 200, "free", "finished", 7, "a", retry=True)
    assert not counters.is_retry({}, 7, "a")


def test_twenty_users_with_one_prompt_are_no_retries() -> None:
    """Each asks for the first time, however often the others were refused; asking again, each is a retry."""
    counters, users = PrometheusCounters(), [f"user-{n}" for n in range(20)]
    asked: list[bool] = []
    for user in users * 2:
        asked.append(counters.is_retry({}, 7, user))
        counters.settle("/", 503, "free", "refused", 7, user, retry=asked[-1])

    assert asked == [False] * 20 + [True] * 20


def test_old_questions_are_forgotten() -> None:
    """A million unanswered ones cost no more memory than ten thousand."""
    counters = PrometheusCounters()
    for mark in range(1, 20_001):
        counters.settle("/", 503, "free", "refused", mark, "a", retry=False)

    assert not counters.is_retry({}, 1, "a")
    assert counters.is_retry({}, 20_000, "a")


def test_a_histogram_counts_by_upper_bound() -> None:
    """A value on a bound belongs to it."""
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)

    assert (histogram.counts, histogram.total) == ([2, 1, 1], 12.0)

"""`GET /metrics`: a provider as Prometheus text, with vLLM's names for what vLLM has and HTTP ones for the rest."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mockbot.service.prometheus_counters import Histogram
from mockbot.service.provider_runtime import ProviderRuntime

_Labels = TypeVar("_Labels", bound=tuple[str, ...])


class ProviderCollector(Collector):
    """Reads a provider when it is scraped."""

    def __init__(self, runtime: ProviderRuntime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """Everything, as it is now."""
        self._runtime.catch_up()
        name, counters, chatbot = self._runtime.name, self._runtime.counters, self._runtime.chatbot
        capacity, stats = chatbot.capacity, chatbot.stats
        for metric, text, value in (
            ("vllm:num_requests_running", "Requests being answered now", capacity.running),
            ("vllm:num_requests_waiting", "Requests waiting for a slot", capacity.queued),
            ("mockbot_slots", "Answers that can be generated at the same time now", capacity.slots),
            ("mockbot_up", "0 while the provider has crashed", int(capacity.alive)),
        ):
            gauge = GaugeMetricFamily(metric, text, labels=["provider"])
            gauge.add_metric([name], value)
            yield gauge
        yield _counter("vllm:prompt_tokens", "Tokens of answered prompts", name, {(): counters.prompted})
        yield _counter("vllm:generation_tokens", "Tokens of answers", name, {(): counters.generated})
        first, whole = counters.first_token, counters.whole
        yield _histogram("vllm:time_to_first_token_seconds", "To the first token of a stream", name, first)
        yield _histogram("vllm:e2e_request_latency_seconds", "To the end of an answer", name, whole)
        responses = {(path, str(status) if status else "none"): n for (path, status), n in counters.responses.items()}
        yield _counter("http_requests", "Responses by path and status", name, responses, "path", "status")
        outcomes = {(tier, end, "yes" if retry else "no"): n for (tier, end, retry), n in counters.outcomes.items()}
        text = "Requests by tier, outcome, and whether they were retries"
        yield _counter("mockbot_requests", text, name, outcomes, "tier", "outcome", "retry")
        text = "Scenario seconds of slots spent in this run"
        yield _counter("mockbot_work_slot_seconds", text, name, {(): stats.all_work})
        text = "Of these, for clients that had gone"
        yield _counter("mockbot_wasted_slot_seconds", text, name, {(): stats.all_wasted})
        hits = {(fault,): count for fault, count in stats.all_felt.items()}
        yield _counter("mockbot_fault_hits", "Requests that a fault has hit in this run", name, hits, "fault")


def exposition(runtime: ProviderRuntime) -> bytes:
    """The provider's metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ProviderCollector(runtime))
    return generate_latest(registry)


def _counter(name: str, text: str, provider: str, values: Mapping[_Labels, float], *labels: str) -> Metric:
    counter = CounterMetricFamily(name, text, labels=["provider", *labels])
    for key, value in sorted(values.items()):
        counter.add_metric([provider, *key], value)
    return counter


def _histogram(name: str, text: str, provider: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["provider"])
    counts, buckets = 0, []
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        counts += count
        buckets.append((bound, counts))
    family.add_metric([provider], buckets, histogram.total)
    return family

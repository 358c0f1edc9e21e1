"""`GET /metrics`: a provider as Prometheus text, with vLLM's names for what vLLM has and HTTP ones for the rest."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mockbot.service.prometheus_counters import Histogram
from mockbot.service.provider_runtime import ProviderRuntime


class ProviderCollector(Collector):
    """Reads a provider when it is scraped."""

    def __init__(self, runtime: ProviderRuntime) -> None:
        self._runtime = runtime

    def collect(self) -> Iterable[Metric]:
        """Everything, as it is now."""
        self._runtime.catch_up()
        yield from self._gauges()
        yield from self._tokens()
        yield from self._requests()
        yield from self._work()

    def _gauges(self) -> Iterable[Metric]:
        capacity, name = self._runtime.chatbot.capacity, self._runtime.name
        for metric, text, value in (
            ("vllm:num_requests_running", "Requests being answered now", capacity.running),
            ("vllm:num_requests_waiting", "Requests waiting for a slot", capacity.queued),
            ("mockbot_slots", "Answers that can be generated at the same time now", capacity.slots),
            ("mockbot_up", "0 while the provider has crashed", int(capacity.alive)),
        ):
            gauge = GaugeMetricFamily(metric, text, labels=["provider"])
            gauge.add_metric([name], value)
            yield gauge

    def _tokens(self) -> Iterable[Metric]:
        counters, name = self._runtime.counters, self._runtime.name
        yield _counter("vllm:prompt_tokens", "Tokens of answered prompts", name, counters.prompted)
        yield _counter("vllm:generation_tokens", "Tokens of answers", name, counters.generated)
        yield _histogram(
            "vllm:time_to_first_token_seconds", "To the first token of a stream", name, counters.first_token
        )
        yield _histogram("vllm:e2e_request_latency_seconds", "To the end of an answer", name, counters.whole)

    def _requests(self) -> Iterable[Metric]:
        counters, name = self._runtime.counters, self._runtime.name
        http = CounterMetricFamily(
            "http_requests", "Responses by path and status", labels=["provider", "path", "status"]
        )
        for (path, status), count in sorted(counters.responses.items()):
            http.add_metric([name, path, str(status) if status else "none"], count)
        yield http
        labels = ["provider", "tier", "outcome", "retry"]
        requests = CounterMetricFamily(
            "mockbot_requests", "Requests by tier, outcome, and whether they were retries", labels=labels
        )
        for (tier, outcome, retry), count in sorted(counters.outcomes.items()):
            requests.add_metric([name, tier, outcome, "yes" if retry else "no"], count)
        yield requests

    def _work(self) -> Iterable[Metric]:
        stats, name = self._runtime.chatbot.stats, self._runtime.name
        yield _counter("mockbot_work_slot_seconds", "Scenario seconds of slots spent in this run", name, stats.all_work)
        yield _counter("mockbot_wasted_slot_seconds", "Of these, for clients that had gone", name, stats.all_wasted)
        hits = CounterMetricFamily(
            "mockbot_fault_hits", "Requests that a fault has hit in this run", labels=["provider", "fault"]
        )
        for fault, count in sorted(stats.all_felt.items()):
            hits.add_metric([name, fault], count)
        yield hits


def exposition(runtime: ProviderRuntime) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ProviderCollector(runtime))
    return generate_latest(registry)


def _counter(name: str, text: str, provider: str, value: float) -> Metric:
    counter = CounterMetricFamily(name, text, labels=["provider"])
    counter.add_metric([provider], value)
    return counter


def _histogram(name: str, text: str, provider: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["provider"])
    counts, buckets = 0, []
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        counts += count
        buckets.append((bound, counts))
    family.add_metric([provider], buckets, histogram.total)
    return family

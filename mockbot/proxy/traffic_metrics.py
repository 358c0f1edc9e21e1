"""`/metrics`: the traffic table in, Prometheus text with Toxiproxy's metric names out.

Unlike Toxiproxy 2.12.0, which counts a direction when it ends (so that a live stream counts 0), bytes count while they
flow. Runtime metrics are Python's and the process's; Go's `go_*` have no meaning here.
"""

from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from mockbot.proxy.proxies import TrafficTable

LABELS = ("direction", "proxy", "listener", "upstream")


class TrafficCollector(Collector):
    """`toxiproxy_proxy_received_bytes_total` and `toxiproxy_proxy_sent_bytes_total`."""

    def __init__(self, table: TrafficTable) -> None:
        self._table = table

    def collect(self) -> Iterator[CounterMetricFamily]:
        received = CounterMetricFamily("toxiproxy_proxy_received_bytes", "Bytes read from the source.", labels=LABELS)
        sent = CounterMetricFamily("toxiproxy_proxy_sent_bytes", "Bytes written to the destination.", labels=LABELS)
        for labels, traffic in self._table.rows.items():
            received.add_metric(labels, traffic.received)
            sent.add_metric(labels, traffic.sent)
        yield received
        yield sent


class Metrics:
    """What the flags `-proxy-metrics` and `-runtime-metrics` ask for."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, table: TrafficTable, *, proxy: bool, runtime: bool) -> None:
        self._registry = CollectorRegistry()
        if proxy:
            self._registry.register(TrafficCollector(table))
        if runtime:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)
            GCCollector(registry=self._registry)

    def page(self) -> bytes:
        return generate_latest(self._registry)

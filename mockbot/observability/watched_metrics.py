"""OpenTelemetry's exporter of metrics, which knows whether the newest ones were taken: its reader drops that answer.

Metrics are sums from the begin on, so that the newest hold all that earlier ones, taken or not, have said.
"""

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData


class WatchedMetrics(OTLPMetricExporter):
    """`taken`: whether the newest metrics were, or there are none."""

    taken = True

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: object
    ) -> MetricExportResult:
        """As the base class has it."""
        self.taken = False  # while it is tried, for whoever waits no longer
        result = super().export(metrics_data, timeout_millis, **kwargs)
        self.taken = result is MetricExportResult.SUCCESS
        return result

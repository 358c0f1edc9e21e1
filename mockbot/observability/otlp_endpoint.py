"""An OpenTelemetry endpoint: its URL in, exporters out. A collector that does not answer is an error before the run.

OTLP over HTTP with protobuf, as every collector speaks it. OpenTelemetry's own variables hold, such as
OTEL_EXPORTER_OTLP_HEADERS. Its exporters report failures to a logger only, whose words are kept for our own message.
"""

import logging
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mockbot.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

_ERRNO = re.compile(r"\[Errno -?\d+\] ([\w ]+)")
ANSWERS_WITHIN = 3.0  # wall seconds that an endpoint has for an empty batch, before a run
TAKES_WITHIN = 5.0  # wall seconds for a batch


class LastWords(logging.Handler):
    """Keeps the last reason that OpenTelemetry's loggers gave; they print nothing then."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words = ""

    def emit(self, record: logging.LogRecord) -> None:
        """One message; the last one of several tries only says that they are over."""
        text = record.getMessage()
        if "max retries" not in text or not self.words:
            cause = _ERRNO.search(text)
            self.words = cause[1] if cause else text


class OtlpEndpoint:
    """A checked endpoint: the base URL that collectors document, as http://127.0.0.1:4318."""

    def __init__(self, url: str) -> None:
        """Raises UsageError when it is no URL, when the extra is missing, or when nothing takes spans there."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"--otel {url} is no URL of a collector; give its OTLP/HTTP URL, as http://127.0.0.1:4318")
        if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
            raise UsageError("--otel needs OpenTelemetry, which is not installed; pip install 'mockbot[otel]'")
        self.url = url.rstrip("/")
        self._log = LastWords()
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(self._log)
        logger.propagate = False
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 - of an extra

        if self.spans(ANSWERS_WITHIN).export([]) is not SpanExportResult.SUCCESS:
            raise UsageError(
                f"--otel {url}: nothing takes spans there ({self.why}); start a collector that listens for OTLP over "
                "HTTP (its port is 4318, 4317 is gRPC), correct the URL, or leave --otel away"
            )

    @property
    def why(self) -> str:
        """What OpenTelemetry said last."""
        return self._log.words.strip() or "it gave no reason"

    def spans(self, within: float = TAKES_WITHIN) -> "OTLPSpanExporter":
        """A new exporter of spans."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - of an extra

        return OTLPSpanExporter(f"{self.url}/v1/traces", timeout=within)

    def metrics(self) -> "OTLPMetricExporter":
        """A new exporter of metrics."""
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415 - as above

        return OTLPMetricExporter(f"{self.url}/v1/metrics", timeout=TAKES_WITHIN)

"""An OpenTelemetry endpoint: its URL in, exporters out. A collector that does not answer is an error before the run.

OTLP over HTTP with protobuf, as every collector speaks it. OpenTelemetry's own variables hold, such as
OTEL_EXPORTER_OTLP_HEADERS. Its exporters report failures to a logger only, whose words are kept for our own message.
"""

import logging
import os
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mockbot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    from mockbot.observability.watched_metrics import WatchedMetrics

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


def _require_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        wrong = (
            parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or "?" in url or "#" in url
        )
    except ValueError:  # of its brackets or its port
        wrong = True
    if wrong:
        raise UsageError(f"--otel {url} is no URL of a collector; give its OTLP/HTTP URL, as http://127.0.0.1:4318")


def _require_sdk() -> None:
    """OpenTelemetry reads some of its variables when it is imported, others when its objects are made."""
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise UsageError("--otel needs OpenTelemetry, which is not installed; pip install 'mockbot[otel]'")
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        raise UsageError("--otel: OTEL_SDK_DISABLED=true makes OpenTelemetry send nothing; unset it, or omit --otel")
    try:
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - of an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above

        MeterProvider(shutdown_on_exit=False)
        TracerProvider(shutdown_on_exit=False)
    except ValueError as error:
        raise UsageError(f"--otel: OpenTelemetry refuses a variable OTEL_... of the environment: {error}") from None


def _rejected(response: "requests.Response") -> tuple[int, str]:
    """How many spans or points an answer says were not taken, and why; RequestException when it is no collector's.

    OpenTelemetry does not read answers: to it, a redirect, which it does not follow, and a page to log in are success.
    """
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415 - of an extra
        ExportTraceServiceResponse,
    )
    from requests import RequestException, TooManyRedirects  # noqa: PLC0415 - as above

    if response.is_redirect:
        response.close()
        raise TooManyRedirects(f"it redirects to {response.headers['location']}")
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.ok and kind == "text/html":
        response.close()
        raise RequestException("it answers with a web page, as no collector does")
    if not response.ok or kind != "application/x-protobuf":
        return 0, ""
    said = ExportTraceServiceResponse.FromString(response.content).partial_success  # the numbers of its fields are
    return said.rejected_spans, said.error_message  # those of metrics, too


def _session(hook: "Callable[..., None]") -> "requests.Session | None":
    """None: OpenTelemetry makes its own, with credentials of a provider that the environment names."""
    if any(name.endswith("_CREDENTIAL_PROVIDER") and name.startswith("OTEL_PYTHON_EXPORTER") for name in os.environ):
        return None
    from requests import Session  # noqa: PLC0415 - as above

    session = Session()
    session.hooks["response"].append(hook)
    return session


class OtlpEndpoint:
    """A checked endpoint: the base URL that collectors document, as http://127.0.0.1:4318.

    `rejected`: spans that it got and did not keep.
    """

    def __init__(self, url: str) -> None:
        """Raises UsageError when it is no URL, when the extra is missing, or when nothing takes spans there."""
        _require_url(url)
        _require_sdk()
        self.url = url.rstrip("/")
        self.rejected = 0
        self._log = LastWords()
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(self._log)
        logger.propagate = False
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 - of an extra

        exporter = self.spans(ANSWERS_WITHIN)
        taken = exporter.export([])
        exporter.shutdown()  # type: ignore[no-untyped-call]  # OpenTelemetry's
        if taken is not SpanExportResult.SUCCESS:
            raise UsageError(
                f"--otel {self.shown}: nothing takes spans there ({self.why}); start a collector that listens for OTLP "
                "over HTTP (its port is 4318, 4317 is gRPC), correct the URL, or leave --otel away"
            )

    @property
    def shown(self) -> str:
        """Its URL without a password."""
        return re.sub("//.*@", "//", self.url)

    @property
    def why(self) -> str:
        """What OpenTelemetry said last."""
        return self._log.words.strip() or "it gave no reason"

    def _look(self, response: "requests.Response", *_: object, **__: object) -> None:
        """At each answer. RequestException, which makes an export fail, where OpenTelemetry would see success."""
        from requests import RequestException  # noqa: PLC0415 - of an extra

        rejected, why = _rejected(response)
        if rejected and str(response.request.url).endswith("/metrics"):
            raise RequestException(f"it rejected {rejected:,} points: {why}")
        if rejected:
            self.rejected += rejected
            self._log.words = why

    def spans(self, within: float = TAKES_WITHIN) -> "OTLPSpanExporter":
        """A new exporter of spans."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - of an extra

        return OTLPSpanExporter(f"{self.url}/v1/traces", timeout=within, session=_session(self._look))

    def metrics(self) -> "WatchedMetrics":
        """A new exporter of metrics."""
        from mockbot.observability.watched_metrics import WatchedMetrics  # noqa: PLC0415 - as above

        return WatchedMetrics(f"{self.url}/v1/metrics", timeout=TAKES_WITHIN, session=_session(self._look))

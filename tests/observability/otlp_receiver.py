"""A collector that takes OTLP over HTTP and keeps what it got: spans, and the points of metrics."""

import gzip
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Plain = str | bool | int | float | list[str] | None


@dataclass
class Received:
    """What came. `url`: for --otel; `status`: the answer to every request from now on, at one path another one."""

    url: str = ""
    status: int = 200
    at: dict[str, int] = field(default_factory=dict)  # path -> status
    body: tuple[str, bytes] = ("application/x-protobuf", b"")  # of its answers: type and content
    spans: list[tuple[str, Span]] = field(default_factory=list)  # service.name, span
    metrics: dict[str, Metric] = field(default_factory=dict)  # by name, the latest

    def named(self, name: str) -> list[Span]:
        """The spans with this name."""
        return [span for _, span in self.spans if span.name == name]

    def of(self, service: str) -> list[Span]:
        """The spans of a service."""
        return [span for name, span in self.spans if name == service]

    def take(self, path: str, body: bytes) -> None:
        """One request."""
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = str(plain(resource.resource.attributes)["service.name"])
                self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for measured in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics |= {each.name: each for scope in measured.scope_metrics for each in scope.metrics}


def plain(attributes: Iterable[KeyValue]) -> dict[str, Plain]:
    """Attributes as Python has them."""
    found: dict[str, Plain] = {}
    for each in attributes:
        kind = str(each.value.WhichOneof("value"))
        value = getattr(each.value, kind)
        found[each.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found


@contextmanager
def receiver() -> Iterator[Received]:
    """A collector on a free port of loopback."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = received.at.get(self.path, received.status)
            if status == 200:
                received.take(self.path, gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"https://elsewhere.example{self.path}")
            kind, content = received.body
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Not on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        received.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield received
        server.shutdown()

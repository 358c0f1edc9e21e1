"""Records of a run in, the metrics of OpenTelemetry's conventions for generative AI out. Wall seconds.

The rule: a label has few values however long the run is (`semantic_names.LABELS`): no prompt, user or request is one.
"""

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from mockbot.evidence.records import Attempt, Request
from mockbot.observability import semantic_names as names
from mockbot.observability.trace_spans import PlayedRun, client_labels, server_labels
from mockbot.version import __version__

LAST_WITHIN = 5_000  # wall milliseconds for the last export


class GenAiMetrics:
    """Counts the records of one run; `reader` says where to and when. `second`: which scenario second it is."""

    def __init__(self, played: PlayedRun, reader: MetricReader, second: Callable[[], float]) -> None:
        self._played = played
        about = {
            names.SERVICE: "mockbot", names.NAMESPACE: "mockbot", names.INSTANCE: played.run,
            names.VERSION: __version__, "mockbot.scenario": played.timeline.scenario.name,
        }  # fmt: skip
        self._provider = MeterProvider([reader], Resource.create(about), shutdown_on_exit=False)
        meter = self._provider.get_meter("mockbot", __version__)

        def histogram(name: str, text: str, bounds: tuple[float, ...]) -> Callable[[float, dict[str, str]], None]:
            made = meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=bounds)
            return made.record

        whole, first = names.DURATIONS, names.FIRST_CHUNKS
        self._asked = histogram(names.CLIENT_DURATION, "Attempts, as the crowd saw them", whole)
        self._asked_first = histogram(names.CLIENT_FIRST_CHUNK, "To an answer's first chunk, at the crowd", whole)
        self._served = histogram(names.SERVER_DURATION, "Requests, as the providers saw them", whole)
        self._served_first = histogram(names.SERVER_FIRST_TOKEN, "To an answer's first token, at the provider", first)

        def now(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(second(), {names.PHASE: played.timeline.phase_at(second()).name})]

        meter.create_observable_gauge(names.SCENARIO_SECOND, [now], "s", "Scenario second of the run, not wall time")

    def attempt(self, attempt: Attempt) -> None:
        """One request of the crowd."""
        labels = self._at(attempt.start, client_labels(self._played, attempt))
        self._asked((attempt.end - attempt.start) / self._played.speed, labels)
        if attempt.first_token is not None:
            self._asked_first(attempt.first_token / self._played.speed, labels)

    def request(self, request: Request) -> None:
        """One request at a provider."""
        labels = self._at(request.start, server_labels(self._played, request))
        self._served((request.end - request.start) / self._played.speed, labels)
        if request.first_token is not None:
            self._served_first(request.first_token / self._played.speed, labels)

    def close(self) -> None:
        """Export for the last time."""
        self._provider.shutdown(LAST_WITHIN)

    def _at(self, t: float, labels: Mapping[str, str | None]) -> dict[str, str]:
        given = {name: value for name, value in labels.items() if value is not None}
        return {**given, names.PHASE: self._played.timeline.phase_at(t).name}

"""What several replicas have counted and recorded, as one provider's."""

from dataclasses import replace
from typing import Any

from mockbot.evidence.records import Request, ServiceSecond
from mockbot.service.merged_metrics import merged_metrics
from mockbot.service.merged_requests import MergedRequests
from mockbot.service.merged_seconds import merged


def _request(number: int, start: float, end: float) -> Request:
    return Request(number, "main", "/v1/chat/completions", "k", "b", start, end, "ok")


def test_a_second_is_told_once_all_have_it() -> None:
    """Counts, work and slots are sums, and hits by fault."""
    one = [ServiceSecond(t, "main", offered=2, work=0.5, capacity=4.0, felt={"a": 1}) for t in (3, 4, 5)]
    two = [ServiceSecond(t, "main", offered=3, work=1.0, capacity=4.0, felt={"a": 2, "b": 1}) for t in (3, 4)]

    both: dict[str, Any] = {"offered": 5, "work": 1.5, "capacity": 8.0, "felt": {"a": 3, "b": 1}}
    assert list(merged([one, two])) == [ServiceSecond(t, "main", **both) for t in (3, 4)]
    assert list(merged([one, []])) == []


def test_requests_of_several_recorders_have_numbers_of_their_own() -> None:
    """In the order in which they began; one that ends later keeps the number under which it was seen."""
    merging = MergedRequests([None, 3])
    open_, ended = _request(0, 1.0, 2.0), _request(0, 0.5, 1.5)

    merging.take([([], [open_]), ([ended], [])])
    first = merging.since(0)
    merging.take([([replace(open_, end=3.0)], []), ([_request(1, 2.5, 2.6)], [])])

    assert first == ([replace(ended, number=0, replica=3)], [replace(open_, number=1)])
    assert merging.had == [1, 2]
    assert [(each.number, each.end) for each in merging.since(1)[0]] == [(2, 2.6), (1, 3.0)]


def test_metrics_are_summed_series_by_series() -> None:
    """A series that only one replica has is in the family to which it belongs."""
    head = "# HELP http_total R\n# TYPE http_total counter\n"
    one = f'{head}http_total{{path="v 1",status="200"}} 3.0\n# HELP up u\n# TYPE up gauge\nup 1.0\n'
    two = f'{head}http_total{{path="v 1",status="500"}} 2.0\nhttp_total{{path="v 1",status="200"}} 1.0\n'

    lines = merged_metrics([one, two]).decode().splitlines()

    assert lines == [
        *head.splitlines(),
        'http_total{path="v 1",status="200"} 4.0',
        'http_total{path="v 1",status="500"} 2.0',
        "# HELP up u",
        "# TYPE up gauge",
        "up 1.0",
    ]

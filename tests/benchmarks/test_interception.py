"""What interception adds to a request: the same client by a base URL and intercepted, in turns; figures printed.

Both ways lead through the embedded fault proxy to the same service. Rounds alternate, so that a busy machine hurts
both; medians are compared.
"""

import ssl
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from mockbot.interception.plan import intercepted_hosts
from mockbot.scenario.schema import Scenario
from mockbot.testbed.start import open_testbed

pytestmark = [pytest.mark.benchmark, pytest.mark.live, pytest.mark.timeout(300)]
ROUNDS, REQUESTS = 6, 100
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
QUICK = Scenario.model_validate(
    {
        "name": "quick",
        "title": "Answers at once",
        "providers": {"main": {"answer": {"first_token": 0, "tokens": {"median": 1, "p95": 1}, "pace": "100000/s"}}},
        "crowd": {"one": {"users": "100%", "policy": "once"}},
        "phases": [{"name": "calm", "lasts": "1h", "users": 1}],
    }
)


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, tuple[str, httpx.HTTPTransport]]]:
    """Of each way the URL to ask, and how."""
    with ExitStack() as stack:
        plain = stack.enter_context(open_testbed(QUICK, 1.0, None))
        tls = stack.enter_context(open_testbed(QUICK, 1.0, None, hosts=intercepted_hosts(QUICK)))
        trusts = ssl.create_default_context(cadata=tls.authority)
        yield {
            "base URL": (plain.providers["main"], httpx.HTTPTransport()),
            "intercepted": ("https://api.openai.com", httpx.HTTPTransport(verify=trusts, proxy=tls.forward_proxy)),
        }


def asked(client: httpx.Client, url: str) -> float:
    """Seconds for one answer."""
    begun = time.perf_counter()
    answer = client.post(f"{url}/v1/chat/completions", json=QUESTION, headers={"authorization": "Bearer sk-free-1"})
    took = time.perf_counter() - begun
    assert answer.status_code == 200, answer.text
    return took


def report(what: str, took: dict[str, list[float]]) -> float:
    """Print medians and 95th percentiles; the ratio of the medians."""
    for way, every in took.items():
        p95 = statistics.quantiles(every, n=20)[-1]
        print(f"\n{what}, {way}: median {1000 * statistics.median(every):.2f} ms, p95 {1000 * p95:.2f} ms", end="")  # noqa: T201
    plain, intercepted = (statistics.median(took[way]) for way in ("base URL", "intercepted"))
    print(f"\n{what}: interception adds {1000 * (intercepted - plain):.2f} ms")  # noqa: T201
    return intercepted / plain


def test_added_latency_of_a_request(ways: dict[str, tuple[str, httpx.HTTPTransport]]) -> None:
    """On a connection that is kept alive: two more hops on loopback, and TLS twice."""
    took: dict[str, list[float]] = {way: [] for way in ways}
    clients = {way: httpx.Client(transport=transport) for way, (_, transport) in ways.items()}
    for number in range(ROUNDS):
        for way, (url, _) in ways.items():
            every = [asked(clients[way], url) for _ in range(REQUESTS)]
            took[way] += every if number else []  # the first round warms up

    assert report("a request", took) < 4


def test_added_latency_of_a_connection(ways: dict[str, tuple[str, httpx.HTTPTransport]]) -> None:
    """A new connection for each request: CONNECT and a handshake, too."""
    took: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(ROUNDS):
        for way, (url, transport) in ways.items():
            with httpx.Client(transport=transport, headers={"connection": "close"}) as client:
                every = [asked(client, url) for _ in range(REQUESTS // 4)]
            took[way] += every if number else []

    assert report("a request on a connection of its own", took) < 20

"""What the testbed itself adds to every latency: a testbed without faults or users in, wall seconds out.

A few dozen answers of one token take the crowd's whole way: its client, the proxy, the service. Each should take the
scenario's `first_token`; what it took beyond that is the testbed's. They come before the run's clock starts, at which
the service forgets every request, so that these count nowhere.
"""

import logging
from functools import partial
from statistics import median

import gevent
from gevent.pool import Pool
from geventhttpclient.client import HTTPClient
from geventhttpclient.url import URL

from mockbot.clock import Clock
from mockbot.dialects.client_identity import FREE, api_key
from mockbot.dialects.families import FAMILIES
from mockbot.load.recorder import GeneratorError, RequestTemplate, attempt
from mockbot.scenario.model_names import listed
from mockbot.scenario.schema import Provider, Scenario
from mockbot.testbed.start import Addresses

REQUESTS = 24
APART = 0.02  # wall seconds between two of them, so that none waits for another one's work
LONGEST = 3.0  # wall seconds in which they begin
PATIENCE = 2.0  # wall seconds beyond the answer's own time
LANES = 8  # under way at the same time, at most

log = logging.getLogger("mockbot")


def added_latency(scenario: Scenario, addresses: Addresses) -> float | None:
    """The median; None, and a warning, when no answer came."""
    name, provider = next(iter(scenario.providers.items()))
    url, clock = URL(addresses.providers[name] + "/"), Clock.start(addresses.speed)
    lanes = min(LANES, provider.slots, provider.answer.slowdown_from or LANES)
    client = HTTPClient.from_url(url, concurrency=lanes, network_timeout=None, connection_timeout=None)
    ask, pool = partial(_added, client, url.path.rstrip("/"), provider, clock), Pool(lanes)
    asked: list[gevent.Greenlet[..., float | None]] = []
    try:
        ask(0)  # opens a connection and warms both ends up, so it does not count
        until = clock.now() + clock.scenario(LONGEST)
        while len(asked) < REQUESTS and clock.now() < until:
            asked.append(pool.spawn(ask, len(asked) + 1))
            gevent.sleep(APART)
        pool.join()
    finally:
        pool.kill()
        client.close()
    took = [each.value for each in asked if each.value is not None]
    if not took:
        log.warning("what the testbed adds to latencies cannot be measured: %s gave no answer", name)
        return None
    return round(max(0.0, median(took)), 6)


def _added(client: HTTPClient, prefix: str, provider: Provider, clock: Clock, n: int) -> float | None:
    """Wall seconds that one answer took beyond its own time; None when it did not come whole.

    Each request has a key of its own, because a limit may allow a key only a few.
    """
    family, wanted = FAMILIES[provider.dialect], provider.answer.first_token
    model = next(iter(listed(provider.models, ("mockbot", *family.models))), "mockbot")
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    template = RequestTemplate.of(provider.dialect, prefix, api_key(FREE, str(n)), "testbed", stream=False)
    until = clock.now() + wanted + clock.scenario(PATIENCE)
    try:
        seen = attempt(client, template.outgoing(template.encode(body)), clock, until)
    except GeneratorError:
        return None
    return clock.wall(seen.end - seen.start - wanted) if seen.outcome == "ok" else None

"""What the testbed itself adds to every latency: a testbed without faults or users in, wall seconds out.

Two dozen short answers take the crowd's whole way: its client, the proxy, the service. Each names how many tokens it
has, and so how long it should take; what it took beyond that is the testbed's. They come before the run's clock starts,
at which the service forgets every request, so that these count nowhere.
"""

import logging
from contextlib import suppress
from statistics import median

import gevent
from gevent.pool import Pool
from geventhttpclient.client import HTTPClient
from geventhttpclient.url import URL

from mockbot.clock import Clock
from mockbot.dialects.client_identity import FREE, api_key
from mockbot.dialects.identified_text import recognise
from mockbot.load.recorder import GeneratorError, RequestTemplate, attempt, trusting
from mockbot.scenario.answer_law import pace_of
from mockbot.scenario.model_names import CROWDS_MODEL
from mockbot.scenario.schema import Scenario
from mockbot.testbed.start import Addresses
from mockbot.units.formatting import format_wall

REQUESTS = 24
APART = 0.02  # wall seconds between two of them, so that none waits for another one's work
LANES = 8  # under way at the same time, at most
ANSWER = 0.5  # wall seconds of an answer, at most, unless its first token takes longer
LONGEST = 5.0  # wall seconds, of all of them together; of a longer answer, what the testbed adds is no part

log = logging.getLogger("mockbot")


def added_latency(scenario: Scenario, addresses: Addresses) -> tuple[float | None, float | None]:
    """The medians: to a whole answer, to the first token of a stream. Both None, and a warning, when no answer came.

    Only a provider whose answers mockbot makes up is asked: a real one is nobody's to measure, a recorded one has none.
    """
    made = [each for each in scenario.providers.items() if each[1].makes_answers]
    if not made:
        return None, None
    name, provider = min(made, key=lambda each: each[1].answer.first_token)
    answer, pace = provider.answer, pace_of(provider.answer)
    stream = any(group.stream for group in scenario.crowd.values())
    url, clock = URL(addresses.providers[name] + "/"), Clock.start(addresses.speed)
    most = max(1, round((clock.scenario(ANSWER) - answer.first_token) * answer.pace))
    lanes = min(LANES, provider.slots, answer.slowdown_from or LANES)
    client = HTTPClient.from_url(
        url,
        concurrency=lanes,
        network_timeout=None,
        connection_timeout=None,
        ssl_context_factory=lambda cafile=None: trusting(addresses.authority),  # noqa: ARG005 - of the library
    )
    whole, first = list[float](), list[float]()

    def ask(n: int) -> None:
        # A limit may allow a key only a few requests, and equal questions have equally long answers.
        template = RequestTemplate.of(
            provider.dialect, url.path.rstrip("/"), api_key(FREE, str(n)), "testbed", stream=stream
        )
        message = {"role": "user", "content": f"Hello, the {n}th time"}
        asked = template.encode({"model": CROWDS_MODEL, "messages": [message], "max_tokens": most})
        due = clock.now() + clock.scenario(APART)
        gevent.sleep(APART)  # as users wait for theirs
        with suppress(GeneratorError):
            seen = attempt(client, template.outgoing(asked), clock, due + clock.scenario(LONGEST))
            end = clock.now()
            for piece in recognise(seen.text) if seen.outcome == "ok" else ():
                whole.append(clock.wall(end - due - pace.work(piece.of)))
                if stream and seen.first_token is not None:
                    first.append(clock.wall(seen.start + seen.first_token - due - pace.first))

    pool = Pool(lanes)
    try:
        with gevent.Timeout(LONGEST, False):
            for n in range(REQUESTS):
                pool.spawn(ask, n)
                gevent.sleep(APART)
            pool.join()
    finally:
        pool.kill()
        client.close()
    if not whole:
        within = format_wall(LONGEST)
        log.warning("not known what the testbed adds to latencies: no answer of %s told its length in %s", name, within)
    return _median(whole), _median(first)


def _median(added: list[float]) -> float | None:
    return round(max(0.0, median(added)), 6) if added else None

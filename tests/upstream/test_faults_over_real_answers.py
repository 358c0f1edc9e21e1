"""Every fault of the service and of the wire, met by a client of a real upstream, plain and streamed."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import TypeAdapter

from mockbot.faults import FAULTS, Fault
from mockbot.faults.base import FaultBase
from mockbot.proxy.toxiproxy_client import ToxicControl, ToxicSpec
from mockbot.service.control_client import ServiceControl
from mockbot.testbed.start import open_testbed
from mockbot.upstream.settings import UpstreamSettings
from tests.service.values import active, scenario_of
from tests.upstream.conftest import question, text_in

pytestmark = [pytest.mark.live, pytest.mark.second]
CHAT = "/v1/chat/completions"
WHOLE = "w0 w1 w2 w3 w4 w5"
WAITS = 0.6  # wall seconds of a client's patience
Met = tuple[int | None, str, str]  # status, text, how it ended


def met(url: str, *, streamed: bool) -> Met:
    """What a client of six words gets: status, the text that came, and how the answer ended."""
    status, body = None, b""
    try:
        with httpx.stream("POST", url + CHAT, json=question(6, stream=streamed), timeout=WAITS) as answer:
            status = answer.status_code
            for part in answer.iter_raw():
                body += part
    except httpx.TimeoutException:
        ended = "timeout"
    except httpx.TransportError:
        ended = "lost"
    else:
        ended = "whole" if not streamed or body.endswith(b"data: [DONE]\n\n") else "ended"
    if b'"error"' in body and status == 200:
        ended = "error event"
    try:
        text = text_in(b"\n".join(line for line in body.split(b"\n") if b'"error"' not in line)) if body else ""
    except ValueError:
        text = "garbled"
    except (KeyError, IndexError):
        text = ""
    return status, text, ended


# fault -> what a plain client gets, what a streamed one gets; None: an error with this status and no answer
PLAIN_AND_STREAMED: Mapping[str, tuple[Mapping[str, Any], Met | int, Met | int]] = {
    "503": ({"http_error": 503}, 503, 503),
    "529 as html": ({"http_error": {"status": 502, "body": "html"}}, 502, 502),
    "rate limited": ({"rate_limited": {"retry_after": "5s"}}, 429, 429),
    "maintenance": ({"maintenance": True}, 503, 503),
    "shed": ({"shed": {"admit": {"free": "0%"}}}, 503, 503),
    "no capacity": ({"capacity": "0%"}, (None, "", "timeout"), (None, "", "timeout")),
    "crash": ({"crash": True}, (None, "", "lost"), (None, "", "lost")),
    "slow": ({"slow": {"factor": 40}}, (None, "", "timeout"), (200, "", "timeout")),
    "slow to begin": ({"slow": {"first_token": "5s"}}, (None, "", "timeout"), (None, "", "timeout")),
    "stalls at once": ({"stall": "nothing"}, (None, "", "timeout"), (None, "", "timeout")),
    "stalls after 3": (
        {"stall": {"sends": "nothing", "after_tokens": 3}}, (None, "", "timeout"), (200, "w0 w1 w2", "timeout"),
    ),
    "reset after 3": (
        {"cut": {"how": "reset", "after_tokens": 3}}, (200, "garbled", "lost"), (200, "w0 w1 w2", "lost"),
    ),
    "closed after 3": (
        {"cut": {"how": "closed", "after_tokens": 3}}, (200, "garbled", "lost"), (200, "w0 w1 w2", "lost")
    ),
    "clean end after 3": (
        {"cut": {"how": "clean", "after_tokens": 3}}, (200, "garbled", "whole"), (200, "w0 w1 w2", "ended"),
    ),
    "error event after 2": (
        {"error_event": {"code": "server_error", "after_tokens": 2}}, 500, (200, "w0 w1", "error event"),
    ),
    "malformed after 3": ({"malformed_event": 3}, (200, "garbled", "whole"), (200, "garbled", "whole")),
    "blank": ({"blank_answer": True}, (200, "", "whole"), (200, "", "whole")),
    "none of it comes so far": (
        {"cut": {"how": "reset", "after_tokens": 300}}, (200, WHOLE, "whole"), (200, WHOLE, "whole"),
    ),
}  # fmt: skip


WIRE: Mapping[str, tuple[str, Mapping[str, int], Met, Met]] = {  # toxic -> its type, its attributes, as above
    "latency": ("latency", {"latency": 100}, (200, WHOLE, "whole"), (200, WHOLE, "whole")),
    "bandwidth": ("bandwidth", {"rate": 1}, (200, WHOLE, "whole"), (200, WHOLE, "whole")),
    "slow_close": ("slow_close", {"delay": 100}, (200, WHOLE, "whole"), (200, WHOLE, "whole")),
    "timeout": ("timeout", {"timeout": 100}, (None, "", "lost"), (None, "", "lost")),
    "reset_peer": ("reset_peer", {"timeout": 1}, (None, "", "lost"), (None, "", "lost")),
    "slicer": ("slicer", {"average_size": 40, "delay": 10}, (200, WHOLE, "whole"), (200, WHOLE, "whole")),
    "limit_data": ("limit_data", {"bytes": 20}, (None, "", "lost"), (None, "", "lost")),
    "down": ("", {}, (None, "", "lost"), (None, "", "lost")),
}


@pytest.fixture(scope="module")
def urls(upstream: str) -> Iterator[Mapping[str, str]]:
    """The base URL of a provider with each of the faults, all in front of the same upstream."""
    names = {fault: f"p{n}" for n, fault in enumerate(PLAIN_AND_STREAMED)}
    scenario = scenario_of({"main": {"upstream": "real"}} | {
        each: {"upstream": "real", "slots": 4} for each in names.values()
    })  # fmt: skip
    settings = UpstreamSettings(urls=dict.fromkeys(scenario.providers, upstream))
    with open_testbed(scenario, 1.0, None, upstreams=settings) as testbed:
        service, proxies = ServiceControl(testbed.service_control), ToxicControl(testbed.proxy_control)
        found = {}
        for fault, name in names.items():
            held = TypeAdapter[FaultBase](Fault).validate_python(PLAIN_AND_STREAMED[fault][0])
            service.set_faults(name, [active(held)])
            found[fault] = testbed.direct[name]
        for wire, (kind, attributes, *_) in WIRE.items():
            found[wire] = f"http://{proxies.create(wire, urlsplit(testbed.direct['main']).netloc)}"
            if kind:
                proxies.add_toxic(wire, ToxicSpec(wire, kind, "downstream", 1.0, attributes))
            else:
                proxies.disable(wire)
        yield found


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", [*PLAIN_AND_STREAMED, *WIRE])
def test_a_fault_acts_on_a_real_answer(urls: Mapping[str, str], fault: str, streamed: bool) -> None:
    """What the client of a real provider gets is what the scenario says."""
    expected = {**PLAIN_AND_STREAMED, **WIRE}[fault][-1 if streamed else -2]

    got = met(urls[fault], streamed=streamed)

    assert (got[0] if isinstance(expected, int) else got) == expected


def test_every_fault_of_a_provider_is_tried_here() -> None:
    """One that is added has to be listed above; a restart is of systems, and a handshake comes before an answer."""
    tried = {next(iter(values)) for values, *_ in PLAIN_AND_STREAMED.values()} | set(WIRE)

    assert tried == {fault.kind for fault in FAULTS if fault.layer in {"service", "wire"}}

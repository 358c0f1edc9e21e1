"""Each fault is one module of `mockbot.faults`, and one entry of its tuple."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

import mockbot.faults
from mockbot.faults import FAULTS, KINDS, Fault, rank
from mockbot.faults.base import FaultBase, ServiceFault, ToxicFault, WireFault
from mockbot.faults.restart import Restart
from mockbot.faults.tls import Tls
from mockbot.service.control_messages import FAULTS as BODY
from tests.service.values import active

WRITTEN = {  # each fault as a file may write it
    "crash": {"warm_up": "3s"},
    "maintenance": {"retry_after": "2m", "exempt": ["/v1/models", "/health"]},
    "http_error": 503,
    "rate_limited": {"retry_after": "20s"},
    "shed": {"admit": {"free": "0%", "plus": "60% -> 100%"}},
    "capacity": "50% -> 100%",
    "slow": {"factor": 2.5, "first_token": "0s -> 2s"},
    "stall": {"sends": "keepalive", "resumes": "90s"},
    "cut": "clean",
    "error_event": {"code": "overloaded", "shape": "flat"},
    "malformed_event": 7,
    "blank_answer": True,
    "down": True,
    "latency": {"latency": "300ms", "jitter": "50ms"},
    "bandwidth": "2000/s",
    "slow_close": "2s",
    "timeout": "0s",
    "reset_peer": "1s",
    "slicer": {"average_size": 64, "delay": "10ms"},
    "limit_data": 1500,
    "tls": {"how": "slow", "delay": "8s"},
    "restart": {"how": "planned", "down": "3s"},
}
_FAULT: TypeAdapter[FaultBase] = TypeAdapter(Fault)


def _read(kind: str, **where: object) -> FaultBase:
    return _FAULT.validate_python({kind: WRITTEN[kind], **where})


def test_every_module_is_one_fault_in_the_tuple_under_its_own_name() -> None:
    """A fault that is left out of the tuple would be refused as unknown, so it is noticed here."""
    folder = Path(mockbot.faults.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "base", "effects"}

    assert sorted(modules) == sorted(fault.kind for fault in FAULTS)
    assert [fault.__module__ for fault in FAULTS] == [f"mockbot.faults.{fault.kind}" for fault in FAULTS]


def test_every_fault_has_a_rank_of_its_own() -> None:
    """The order in which a request meets them is the tuple's."""
    ranks = [rank(_read(fault.kind)) for fault in FAULTS]

    assert ranks == list(range(len(FAULTS)))
    assert len(KINDS) == len(FAULTS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_says_everything_about_itself(kind: str) -> None:
    """Its effect, its words for both kinds of readers, and where it is counted."""
    fault = _read(kind)

    assert fault.effect() == _read(kind).effect()
    assert fault.plain.format("main") != fault.plain
    assert fault.counted_by
    assert fault.text().split()[0] == kind
    assert not set("{}[]'") & set(fault.text())
    assert {"service": ServiceFault, "wire": WireFault, "tls": Tls, "system": Restart}[fault.layer] in type(fault).mro()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_crosses_the_control_port_unchanged(kind: str) -> None:
    """What the service reads is what the driver wrote, with span, scope and limit."""
    sent = (active(_read(kind, share="10% -> 90%", at="5s", flap={"period": "2s"}), start=10, end=20),)

    assert BODY.validate_json(BODY.dump_json(sent)) == sent


def test_a_tier_that_is_shed_reads_as_the_file_writes_it() -> None:
    """No representation of a Python value reaches a report."""
    assert _read("shed").text() == "shed free 0%, plus 60% -> 100%"
    assert _read("crash").text() == "crash"
    assert _read("http_error").text() == "http_error 503"


def test_the_original_toxiproxy_knows_the_toxics_of_its_documentation() -> None:
    """Toxiproxy 2.12.0, toxics/*.go; `down` is its switch."""
    known = {fault.kind for fault in FAULTS if issubclass(fault, ToxicFault) and fault.in_toxiproxy}

    assert known == {"latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"}

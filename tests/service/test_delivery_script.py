"""What is sent of an answer under its faults, and how it ends: the steps that the service and the simulator play."""

import pytest

from mockbot.faults.base import ServiceFault
from mockbot.faults.blank_answer import BlankAnswer
from mockbot.faults.cut import Cut
from mockbot.faults.effects import End, Garbled, Silence
from mockbot.faults.error_event import ErrorEvent
from mockbot.faults.malformed_event import MalformedEvent
from mockbot.faults.stall import Stall
from mockbot.scenario.answer_law import Pace
from mockbot.service.active_faults import ActiveFaults
from mockbot.service.chatbot import Answer, Caller
from mockbot.service.delivery_script import script
from tests.service.values import active

CUT = Cut.model_validate({"cut": "reset"})
BLANK = BlankAnswer.model_validate({"blank_answer": True})
PAUSE = Stall.model_validate({"stall": {"sends": "keepalive", "after_tokens": 2, "resumes": "5s"}})


def answer_under(*faults: ServiceFault, tokens: int = 10) -> Answer:
    """An answer that these faults hit."""
    holding = ActiveFaults(1, "main")
    holding.set([active(fault) for fault in faults])
    stream_faults = holding.stream_faults(0.0, "free", "key", "/v1/chat/completions")
    return Answer(Caller("key"), 1, tokens, tokens, Pace(1.0, 0.1), stream_faults)


def test_without_a_fault_all_tokens_come_and_then_the_regular_end() -> None:
    """One step."""
    assert list(script(answer_under())) == [(10, None, End("ok"))]


def test_after_a_silence_the_answer_goes_on() -> None:
    """A stall that ends is a step before the others."""
    assert list(script(answer_under(PAUSE))) == [(2, "stall", Silence(5.0, keepalive=True)), (10, None, End("ok"))]


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (CUT, End("reset")),
        (Cut.model_validate({"cut": "clean"}), End("truncated")),
        (ErrorEvent.model_validate({"error_event": {"code": "slow_down", "shape": "flat"}}),
         End("error_event", "slow_down", "flat")),
    ],
)  # fmt: skip
def test_a_fault_that_ends_the_answer_is_its_last_step(fault: ServiceFault, end: End) -> None:
    """After three tokens, whatever else would have come later."""
    later = Stall.model_validate({"stall": {"after_tokens": 4}})

    assert list(script(answer_under(later, fault))) == [(3, fault.kind, end)]


def test_after_a_malformed_event_a_stream_goes_on() -> None:
    """The server does not know that its client gives up."""
    malformed = MalformedEvent.model_validate({"malformed_event": 2})

    assert list(script(answer_under(malformed, CUT))) == [
        (2, "malformed_event", Garbled()),
        (3, "cut", End("reset")),
    ]


def test_a_blank_answer_ends_when_its_first_token_would_have_come() -> None:
    """No token is sent, and no later fault is felt."""
    assert list(script(answer_under(CUT, BLANK))) == [(0, "blank_answer", End("blank", not_before=1))]


def test_a_fault_beyond_the_last_token_has_no_effect() -> None:
    """An answer of two tokens is complete before it can be cut after three."""
    assert list(script(answer_under(CUT, tokens=2))) == [(2, None, End("ok"))]

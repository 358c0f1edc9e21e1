"""What becomes of an admitted answer under its faults: an Answer in, the steps of its delivery out. Pure: no clock.

The live service plays the steps in wall time (`delivery.py`), the simulator in virtual time (`sim_delivery.py`):

    for step in script(answer):
        the tokens up to `step.upto`, each when it is due (a plain answer has no tokens: it waits until it is complete)
        `step.fault`, if any, is counted as felt
        Silence: nothing is sent for so long        End: what ends the answer; always the last step, and only there

Rules
- The faults take effect in the order of their tokens. One after more tokens than the answer has takes none.
- The first fault that ends an answer is the last one felt.
- Faults act on the delivery only; the slot belongs to the capacity model, and only a reset gives it up.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from mockbot.evidence.records import Outcome
from mockbot.faults.base import ServiceFault
from mockbot.faults.blank_answer import BlankAnswer
from mockbot.faults.cut import Cut
from mockbot.faults.error_event import ErrorEvent
from mockbot.faults.malformed_event import MalformedEvent
from mockbot.faults.stall import Stall
from mockbot.service.capacity import Capacity
from mockbot.service.chatbot import Answer


class Silence(NamedTuple):
    """Nothing is sent; then what was due meanwhile is sent at once. None: for ever. Scenario seconds."""

    seconds: float | None
    keepalive: bool  # a stream sends comments meanwhile


class End(NamedTuple):
    """`outcome` is what the client of a stream makes of it; of a plain answer it gets half the body, or a status."""

    outcome: Outcome
    code: str = "server_error"  # of an error event, and its shape
    shape: Literal["nested", "flat", "failed"] = "nested"
    not_before: int = 0  # a stream waits until this token is due


class Step(NamedTuple):
    """After `upto` tokens, count the fault as felt and do this."""

    upto: int
    fault: str | None
    then: Silence | End


ROUNDING = 1e-9  # scenario seconds, or work: a moment that is past but for the rounding of floats
_FINISHED = End("ok")


def script(answer: Answer) -> Iterator[Step]:
    """The steps, for an answer that has got a slot."""
    for fault, after_tokens, what in answer.stream_faults:
        if after_tokens > answer.tokens:
            break
        step = Step(after_tokens, fault, _then(what))
        yield step
        if isinstance(step.then, End):
            return
    yield Step(answer.tokens, None, _FINISHED)


def _then(fault: ServiceFault) -> Silence | End:
    match fault:
        case Stall(stall=spec):
            return Silence(spec.resumes, spec.sends == "keepalive")
        case Cut(cut=spec):
            return End("reset" if spec.how == "reset" else "truncated")
        case ErrorEvent(error_event=spec):
            return End("error_event", spec.code, spec.shape)
        case MalformedEvent():
            return End("malformed")
        case BlankAnswer():
            return End("blank", not_before=1)
        case _:
            raise TypeError(fault.kind)


def tokens_due(answer: Answer, capacity: Capacity, now: float) -> int:
    """How many tokens are due by now, of an answer that has got a slot; all of them when it has ended."""
    if answer.state != "running":
        return answer.tokens
    return min(answer.tokens, answer.pace.due(capacity.progress(answer, now) + ROUNDING))


def due_at(answer: Answer, capacity: Capacity, token: int) -> float:
    """When token k = 1, 2, ... is or was due, as things stand."""
    return answer.moment(token) if answer.state != "running" else capacity.reaches(answer, answer.pace.at(token))

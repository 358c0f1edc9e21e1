"""What becomes of an admitted answer under its faults: an Answer in, the steps of its delivery out. Pure: no clock.

The live service plays the steps in wall time (`delivery.py`), the simulator in virtual time (`sim_delivery.py`):

    for step in script(answer):
        the tokens up to `step.upto`, each when it is due (a plain answer has no tokens: it waits until it is complete)
        `step.fault`, if any, is counted as felt
        Silence: nothing is sent for so long      Garbled: an event that is no JSON; of a plain answer, half of it
        End: what ends the answer; always the last step, and only there

Rules
- The faults take effect in the order of their tokens. One after more tokens than the answer has takes none.
- The first fault that ends an answer is the last one felt. After a malformed event the service goes on; its client,
  which cannot read on, does not.
- Faults act on the delivery only; the slot belongs to the capacity model, and only a reset gives it up.
"""

from collections.abc import Iterator

from mockbot.faults.effects import End
from mockbot.service.active_faults import Step
from mockbot.service.chatbot import Answer

_FINISHED = End("ok")


def script(answer: Answer) -> Iterator[Step]:
    """The steps, for an answer that has got a slot."""
    for step in answer.stream_faults:
        if step.upto > answer.tokens:
            break
        yield step
        if isinstance(step.then, End):
            return
    yield Step(answer.tokens, None, _FINISHED)

"""blank_answer: an answer is 200 and has no text."""

from pydantic import Field

from mockbot.faults.base import OnSpec, ServiceFault
from mockbot.faults.effects import End, StreamChange


class BlankAnswer(ServiceFault):
    kind = "blank_answer"
    plain = "answers of {} were empty"

    blank_answer: OnSpec = Field(description="200 with an empty text (OpenAI, 19 February 2025)")

    def effect(self) -> StreamChange:
        return StreamChange(0, End("blank", not_before=1))

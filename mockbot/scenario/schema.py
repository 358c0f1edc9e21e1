"""The scenario file as frozen values. A file may say exactly what these models accept; `load.py` reads it."""

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from mockbot.scenario.check import problems
from mockbot.scenario.parts import (
    Answer,
    Expectation,
    Group,
    Name,
    Phase,
    Provider,
    Queue,
    Retells,
    ScenarioParts,
    StatusUpdate,
    Tokens,
)

__all__ = [
    "Answer",
    "Expectation",
    "Group",
    "Name",
    "Phase",
    "Provider",
    "Queue",
    "Retells",
    "Scenario",
    "StatusUpdate",
    "Tokens",
]


class Scenario(ScenarioParts):
    """A whole outage: who suffers it, from what, for how long, and what is expected of them."""

    @model_validator(mode="after")
    def _consistent(self) -> "Scenario":
        """The parts are valid; here they are seen together. A nested ValidationError keeps its locations."""
        details = [
            InitErrorDetails(
                type=PydanticCustomError(
                    "wrong_key" if problem.at_key else "inconsistent", "{message}", {"message": problem.message}
                ),
                loc=problem.path,
                input=None,
            )
            for problem in problems(self)
        ]
        if details:
            raise ValidationError.from_exception_data(type(self).__name__, details)
        return self

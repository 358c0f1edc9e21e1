"""The scenario file as frozen values: exactly what a file may contain. `load.py` reads it. Pure."""

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from mockbot.scenario.parts import Answer, Expectation, Group, Phase, Provider, ScenarioParts, StatusUpdate, Tokens
from mockbot.scenario.problems import problems

__all__ = ["Answer", "Expectation", "Group", "Phase", "Provider", "Scenario", "StatusUpdate", "Tokens"]


class Scenario(ScenarioParts):
    """A whole outage: its providers, its clients, what fails and when, and what is expected of the clients."""

    @model_validator(mode="after")
    def _consistent(self) -> "Scenario":
        """Check the valid parts together. A nested ValidationError keeps its locations."""
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

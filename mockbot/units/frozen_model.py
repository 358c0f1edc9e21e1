"""The base classes of all values of the scenario language. Pure."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Whole = Annotated[int, Field(strict=True)]  # true is not 1, "40" is not 40


class Model(BaseModel):
    """A part of a scenario file: frozen, and closed, so that a typo is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Spec(Model):
    """Values of which one, `main`, may be written alone."""

    main: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return value if isinstance(value, dict | BaseModel) else {cls.main: value}

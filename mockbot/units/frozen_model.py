"""What every part of the scenario language is made of. Pure."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Whole = Annotated[int, Field(strict=True)]  # true is no 1, "40" is no 40


class Model(BaseModel):
    """What every part of a scenario file is: frozen, and closed, so that a typo is an error and not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Spec(Model):
    """The values of one fault kind; `main` is the one that may be written alone."""

    main: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return value if isinstance(value, dict | BaseModel) else {cls.main: value}

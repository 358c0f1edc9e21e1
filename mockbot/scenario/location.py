"""Turn the location of a pydantic error into the path that the user wrote, the value and the models that fit. Pure.

Pydantic's locations name members of unions ("http_error", "function-before[...]") between the parts of the path.
To leave them out, `locate` follows the types of the Scenario along with the data.
"""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from mockbot.scenario.document import Path, Value
from mockbot.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Located:
    """`models`: what may be written at `path`, by its tag; empty when no model is."""

    path: Path
    value: Value
    models: dict[str, type[BaseModel]]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that is known there."""
        fields = (each for model in self.models.values() for each in model.model_fields.items())
        return tuple(dict.fromkeys(field.alias or name for name, field in fields))


def locate(location: tuple[int | str, ...], data: Value, root: type[BaseModel] = Scenario) -> Located:
    """Follow a location as far as the data goes."""
    path: Path = ()
    annotation: Any = root
    for part in location:
        models = _models(annotation)
        if len(models) > 1 and part in models:  # names a member of a union, not a part of the path
            annotation = models[str(part)]
            continue
        annotation = _annotation_of(part, annotation, models)
        match data:
            case dict() if part in data:
                data, path = data[str(part)], (*path, part)
            case list() if isinstance(part, int) and part < len(data):
                data, path = data[part], (*path, part)
    return Located(path, data, _models(annotation))


def _annotation_of(part: int | str, annotation: Any, models: dict[str, type[BaseModel]]) -> Any:
    """The annotation of the part of a container or model; `annotation` itself when it has no such part."""
    for _, alternative in _alternatives(annotation):
        if get_origin(alternative) in {dict, tuple}:
            return get_args(alternative)[1 if get_origin(alternative) is dict else 0]
    for model in models.values():
        if isinstance(part, str) and (field := model.model_fields.get(part)) is not None:
            return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return annotation


def _models(annotation: Any) -> dict[str, type[BaseModel]]:
    """The models of a union by their tag; without one, by the default of `name` (the discriminator) or their class."""
    found: dict[str, type[BaseModel]] = {}
    for tag, model in _alternatives(annotation):
        if isinstance(model, type) and issubclass(model, BaseModel):
            name = getattr(model.model_fields.get("name"), "default", None)
            found[tag or (name if isinstance(name, str) else model.__name__)] = model
    return found


def _alternatives(annotation: Any) -> Iterator[tuple[str | None, Any]]:
    """The members of a union, however deep, each with its tag if it has one."""
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        tag = next((note.tag for note in notes if isinstance(note, Tag)), None)
        if tag is not None:
            yield tag, inner
        else:
            yield from _alternatives(inner)
    elif get_origin(annotation) in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _alternatives(member)
    else:
        yield None, annotation

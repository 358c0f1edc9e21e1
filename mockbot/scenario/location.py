"""Turn a location of a pydantic error into the path that the user wrote, the value there and the models that fit there.

Pydantic's locations name members of unions ("http_error", "function-before[...]") between the parts of the path.
Walking the types of the Scenario beside the data tells which is which.
"""

import types
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
        return tuple(dict.fromkeys(key for model in self.models.values() for key in model.model_fields))


def locate(location: tuple[int | str, ...], data: Value) -> Located:
    """Follow a location as far as the data goes."""
    path: Path = ()
    annotation: Any = Scenario
    for part in location:
        models = _models(annotation)
        if len(models) > 1 and part in models:
            annotation = models[str(part)]
            continue
        annotation = _inner(annotation, models, part)
        match data:
            case dict() if part in data:
                data, path = data[str(part)], (*path, part)
            case list() if isinstance(part, int) and part < len(data):
                data, path = data[part], (*path, part)
    return Located(path, data, _models(annotation))


def _inner(annotation: Any, models: dict[str, type[BaseModel]], part: int | str) -> Any:
    """The annotation one part further in; itself when the part is no key of anything."""
    container = next((a for a in _alternatives(annotation) if get_origin(a) in {dict, tuple}), None)
    if container is not None:
        return get_args(container)[1 if get_origin(container) is dict else 0]
    fields = [
        model.model_fields[part] for model in models.values() if isinstance(part, str) and part in model.model_fields
    ]
    if not fields:
        return annotation
    return Annotated[fields[0].annotation, *fields[0].metadata] if fields[0].metadata else fields[0].annotation


def _models(annotation: Any) -> dict[str, type[BaseModel]]:
    found = ((_tag(alternative), _unwrapped(alternative)) for alternative in _alternatives(annotation))
    return {
        tag or _name(model): model for tag, model in found if isinstance(model, type) and issubclass(model, BaseModel)
    }


def _alternatives(annotation: Any) -> list[Any]:
    """The members of a union, however deep, each still in its Annotated when that names its tag."""
    if _tag(annotation) is not None:
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [alternative for member in get_args(annotation) for alternative in _alternatives(member)]
    return [annotation]


def _tag(annotation: Any) -> str | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((note.tag for note in get_args(annotation)[1:] if isinstance(note, Tag)), None)


def _unwrapped(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _name(model: type[BaseModel]) -> str:
    """What a discriminator called "name" tells the model by."""
    field = model.model_fields.get("name")
    return field.default if field is not None and isinstance(field.default, str) else model.__name__

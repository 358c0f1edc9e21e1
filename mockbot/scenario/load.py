"""Turn a scenario file into a Scenario or a ScenarioError: `file:line:column: path: message`, a line for each problem.

The only module of the package that reads files, beside `library.py` which finds them. Nothing that a file names is
executed or opened.
"""

from pathlib import Path

from pydantic import ValidationError

from mockbot.errors import ScenarioError
from mockbot.scenario.document import Document, Misprint, MisprintsError, Place, place_of, read_document
from mockbot.scenario.explain import explain
from mockbot.scenario.library import not_found
from mockbot.scenario.schema import Scenario
from mockbot.scenario.units import IN_A_FILE

MOST_BYTES = 64 * 1024


def load_scenario(path: Path) -> Scenario:
    """Read and check one file; ScenarioError says everything that is wrong with it."""
    return read_scenario(_text(path), str(path))


def read_scenario(text: str, name: str = "scenario") -> Scenario:
    """The same for text; `name` is what the messages call it."""
    try:
        document = read_document(text)
        _is_mapping(document)
    except MisprintsError as error:
        raise ScenarioError(_lines(name, error.misprints)) from None
    try:
        return Scenario.model_validate(document.data, context=IN_A_FILE)
    except ValidationError as error:
        raise ScenarioError(_lines(name, explain(error, document))) from None


def _is_mapping(document: Document) -> None:
    match document.data:
        case dict():
            return
        case None:
            message = "is empty; a scenario begins with 'name:' ('mockbot list' shows the bundled ones)"
        case list():
            message = "a scenario is a mapping that begins with 'name:', not a list"
        case _:
            message = "a scenario is a mapping that begins with 'name:', not a single value"
    raise MisprintsError(Misprint(document.values.get((), Place(1, 1)), (), message))


def _lines(name: str, misprints: tuple[Misprint, ...]) -> str:
    return "\n".join(_line(name, misprint) for misprint in misprints)


def _line(name: str, misprint: Misprint) -> str:
    path = ".".join(map(str, misprint.path)) or "scenario"
    return f"{name}:{misprint.place.line}:{misprint.place.column}: {path}: {misprint.message}"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise not_found(str(path)) from None
    except IsADirectoryError:
        raise ScenarioError(f"{path}: is a folder; name one scenario file in it") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError:  # a NUL in the name
        raise ScenarioError(f"{str(path)!r}: is no name of a file") from None
    if len(raw) > MOST_BYTES:
        raise ScenarioError(f"{path}: is larger than {MOST_BYTES // 1024} KiB; a scenario is a page or two of text")
    return _decoded(raw, path)


def _decoded(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        place = place_of(before, len(before))
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ScenarioError(_line(str(path), Misprint(place, (), message))) from None

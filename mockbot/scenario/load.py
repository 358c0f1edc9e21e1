"""Turn a scenario file into a Scenario or a ScenarioError: `file:line:column: path: message`, a line for each problem.

The only module of the package that reads files, beside `library.py` which finds them. Of what a file names, nothing is
executed, and nothing is opened but the scenario that it `extends`.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path

from pydantic import ValidationError

from mockbot.errors import ScenarioError
from mockbot.scenario.check import Problem
from mockbot.scenario.diagnostics import diagnose, diagnostic_of
from mockbot.scenario.document import Diagnostic, Document, DocumentError, Place, place_of, read_document
from mockbot.scenario.extend import EXTENDS, Node, document_of, extended, tree_of
from mockbot.scenario.library import find, names, not_found
from mockbot.scenario.schema import Scenario
from mockbot.units.quantities import IN_A_FILE

MOST_BYTES = 64 * 1024


def load_scenario(path: Path) -> Scenario:
    """Read and check one file; ScenarioError says everything that is wrong with it."""
    return read_scenario(_text(path), str(path), path)


def read_scenario(text: str, name: str = "scenario", path: Path | None = None) -> Scenario:
    """The same for text; `name` is what the messages call it, `path` what it extends is looked for beside."""
    document = _document(text, name, path)
    try:
        return Scenario.model_validate(document.data, context=IN_A_FILE)
    except ValidationError as error:
        raise ScenarioError(_lines(name, diagnose(error, document))) from None


def told(problems: Iterable[Problem], path: Path) -> tuple[str, ...]:
    """What is said about a scenario (`mockbot.scenario.lint`), each with its line in this file or its parent's."""
    document = _document(_text(path), str(path), path)
    return tuple(_line(str(path), diagnostic_of(problem, document)) for problem in problems)


def lineage(path: Path) -> tuple[Path, ...]:
    """The files that make it: itself, what it extends, what that extends. Raises as `load_scenario`."""
    try:
        return tuple(each for _, each in _chain(_text(path), str(path), path) if each is not None)
    except DocumentError as error:
        raise ScenarioError(_lines(str(path), error.diagnostics)) from None


def _document(text: str, name: str, path: Path | None) -> Document:
    try:
        chain = _chain(text, name, path)
        return document_of(reduce(extended, (node for node, _ in reversed(chain))))
    except DocumentError as error:
        raise ScenarioError(_lines(name, error.diagnostics)) from None


def _chain(text: str, name: str, path: Path | None) -> list[tuple[Node, Path | None]]:
    """The scenario, what it extends, and so on to the one that extends nothing."""
    chain = [(_tree(text, name), path)]
    while (parent := _parent(*chain[-1])) is not None:
        node, found = parent
        seen = [each.resolve() for _, each in chain if each is not None]
        if found.resolve() in seen:
            raise DocumentError(Diagnostic(node.place, (EXTENDS,), f"{node.value!r} extends this file, in a circle"))
        try:
            chain.append((_tree(_text(found), str(found)), found))
        except ScenarioError as error:
            raise DocumentError(Diagnostic(node.place, (EXTENDS,), str(error))) from None
    return chain


def _parent(root: Node, path: Path | None) -> tuple[Node, Path] | None:
    """What it extends: where that is said, and the file. A bundled name first, then a path from its own folder."""
    node = root.value.get(EXTENDS) if isinstance(root.value, dict) else None
    if node is None:
        return None
    if not isinstance(node.value, str):
        raise DocumentError(Diagnostic(node.place, (EXTENDS,), "should be the name or the path of one scenario"))
    if node.value not in names() and not node.value.endswith((".yaml", ".yml")):
        message = f"{not_found(node.value)} (a path ends in .yaml)"
        raise DocumentError(Diagnostic(node.place, (EXTENDS,), message))
    beside = Path() if path is None else path.parent
    return node, find(node.value) if node.value in names() else beside / node.value


def _tree(text: str, name: str) -> Node:
    try:
        document = read_document(text)
        _is_mapping(document)
    except DocumentError as error:
        raise DocumentError(*_in_file(name, error.diagnostics)) from None
    return tree_of(document, name)


def _in_file(name: str, diagnostics: tuple[Diagnostic, ...]) -> Iterator[Diagnostic]:
    for each in diagnostics:
        yield Diagnostic(Place(each.place.line, each.place.column, name), each.path, each.message)


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
    raise DocumentError(Diagnostic(document.values.get((), Place(1, 1)), (), message))


def _lines(name: str, diagnostics: tuple[Diagnostic, ...]) -> str:
    return "\n".join(_line(name, diagnostic) for diagnostic in diagnostics)


def _line(name: str, diagnostic: Diagnostic) -> str:
    path, file = ".".join(map(str, diagnostic.path)) or "scenario", diagnostic.place.file or name
    told = diagnostic.message if file == name else f"{diagnostic.message} (as extended by {name})"
    return f"{file}:{diagnostic.place.line}:{diagnostic.place.column}: {path}: {told}"


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
        raise ScenarioError(f"{str(path)!r}: is not a file name") from None
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
        raise ScenarioError(_line(str(path), Diagnostic(place, (), message))) from None

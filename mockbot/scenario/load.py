"""Turn a scenario file into a Scenario or a ScenarioError: `file:line:column: path: message`, a line for each problem.

The only module of the package that reads files, beside `library.py` which finds them. Nothing that a file names is
executed, and nothing is opened except the scenario that it `extends`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

from pydantic import ValidationError

from mockbot.errors import ScenarioError
from mockbot.scenario.diagnostics import diagnose, diagnostic_of
from mockbot.scenario.document import Diagnostic, Document, DocumentError, Node, document_of, place_of, read_tree
from mockbot.scenario.extend import EXTENDS, extended
from mockbot.scenario.library import find, names, not_found
from mockbot.scenario.problems import Problem
from mockbot.scenario.schema import Scenario
from mockbot.scenario.set_value import with_value
from mockbot.units.quantities import IN_A_FILE

MOST_BYTES = 64 * 1024  # a bundled scenario has 5 KiB; a larger file was not meant as a scenario
MOST_QUOTED = 60  # characters of a value or a path in a message
_LONG_QUOTE = re.compile(rf"""(?<!\w)(['"])(?:(?!\1)[^\\]|\\.){{{MOST_QUOTED},}}\1(?!\w)""")


def load_scenario(path: Path, changes: Sequence[str] = ()) -> Scenario:
    """Read and check one file, with the `changes` of `--set`. Raises ScenarioError with everything that is wrong."""
    return read_scenario(_text(path), str(path), path, changes)


def read_scenario(text: str, name: str = "scenario", path: Path | None = None, changes: Sequence[str] = ()) -> Scenario:
    """The same for text. Messages call it `name`; a path that it extends is relative to the folder of `path`."""
    document = _document(text, name, path, changes)
    try:
        return Scenario.model_validate(document.data, context=IN_A_FILE)
    except ValidationError as error:
        raise ScenarioError(lines_of(name, diagnose(error, document))) from None


def located(problems: Iterable[Problem], path: Path) -> tuple[str, ...]:
    """Problems of a valid scenario (`mockbot.scenario.lint`) as lines, with their places in this file or its parent."""
    document = _document(_text(path), str(path), path)
    return tuple(_line(str(path), diagnostic_of(problem, document)) for problem in problems)


def lineage(path: Path) -> tuple[Path, ...]:
    """The files that it is made of: itself, what it extends, what that extends. Raises as `load_scenario`."""
    try:
        return tuple(file for _, file in _chain(_text(path), str(path), path) if file is not None)
    except DocumentError as error:
        raise ScenarioError(lines_of(str(path), error.diagnostics)) from None


def _document(text: str, name: str, path: Path | None, changes: Sequence[str] = ()) -> Document:
    try:
        root = reduce(extended, (tree for tree, _ in reversed(_chain(text, name, path))))
        return document_of(reduce(with_value, changes, root))
    except DocumentError as error:
        raise ScenarioError(lines_of(name, error.diagnostics)) from None


def _chain(text: str, name: str, path: Path | None) -> list[tuple[Node, Path | None]]:
    """The scenario, what it extends, and so on to the one that extends nothing."""
    chain = [(_tree(text, name), path)]
    while (parent := _parent(*chain[-1])) is not None:
        node, file = parent
        if file.resolve() in [each.resolve() for _, each in chain if each is not None]:
            raise DocumentError(Diagnostic(node.place, (EXTENDS,), f"{node.value!r} extends this file, in a circle"))
        try:
            chain.append((_tree(_text(file), str(file)), file))
        except ScenarioError as error:
            raise DocumentError(Diagnostic(node.place, (EXTENDS,), str(error))) from None
    return chain


def _parent(root: Node, path: Path | None) -> tuple[Node, Path] | None:
    """The value of `extends`, and the file that it names: a bundled scenario first, then a path from its own folder."""
    node = root.value.get(EXTENDS) if isinstance(root.value, dict) else None
    if node is None:
        return None
    if not isinstance(node.value, str):
        raise DocumentError(Diagnostic(node.place, (EXTENDS,), "should be the name or the path of one scenario"))
    if node.value in names():
        return node, find(node.value)
    if not node.value.endswith((".yaml", ".yml")):
        raise DocumentError(Diagnostic(node.place, (EXTENDS,), f"{not_found(node.value)} (a path ends in .yaml)"))
    return node, (Path() if path is None else path.parent) / node.value


def _tree(text: str, name: str) -> Node:
    tree = read_tree(text, name)
    match tree.value:
        case dict():
            return tree
        case None:
            message = "is empty; a scenario begins with 'name:' ('mockbot list' shows the bundled ones)"
        case list():
            message = "a scenario is a mapping that begins with 'name:', not a list"
        case _:
            message = "a scenario is a mapping that begins with 'name:', not a single value"
    raise DocumentError(Diagnostic(tree.place, (), message))


def lines_of(name: str, diagnostics: Iterable[Diagnostic], whole: str = "scenario") -> str:
    """A line for each diagnostic; `whole` is what the file as a whole is called."""
    return "\n".join(_line(name, diagnostic, whole) for diagnostic in diagnostics)


def _line(name: str, diagnostic: Diagnostic, whole: str = "scenario") -> str:
    place, path = diagnostic.place, ".".join(map(str, diagnostic.path)) or whole
    file = place.file or name
    message = _LONG_QUOTE.sub(lambda quote: f"{quote[0][: MOST_QUOTED - 3]}{quote[0][0]}...", diagnostic.message)
    if len(path) > MOST_QUOTED:
        path = f"{path[: MOST_QUOTED - 3]}..."
    if file.startswith("--set "):  # an option has no lines
        return f"{file}: {path}: {message}"
    extended_by = "" if file == name else f" (as extended by {name})"
    return f"{file}:{place.line}:{place.column}: {path}: {message}{extended_by}"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise not_found(str(path)) from None
    except IsADirectoryError:
        raise ScenarioError(f"{path}: is a folder; name one scenario file in it") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror or error}; name a file that can") from None
    except ValueError:  # a NUL in the name
        raise ScenarioError(
            f"{str(path)!r}: is not a file name; name a file, or one that `mockbot list` shows"
        ) from None
    if len(raw) > MOST_BYTES:
        raise ScenarioError(f"{path}: is larger than {MOST_BYTES // 1024} KiB; a scenario is a page or two of text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        message = f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ScenarioError(_line(str(path), Diagnostic(place_of(before, len(before)), (), message))) from None

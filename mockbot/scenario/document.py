"""Turn the text of a YAML 1.2 file into plain data with the place of each value and key. Pure.

In: text. Out: a Document (mappings, lists and scalars only) or Diagnostics, each with its line and column. Rules: tags
build nothing, dates stay text, a key may occur once, and aliases cannot grow a small file into a huge one.
"""

from dataclasses import dataclass, field, replace

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.reader import ReaderError

Path = tuple[str | int, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

MOST_VALUES = 20_000  # far above any scenario; nested aliases could make millions of values from a few lines
MOST_TEXT = 2**20  # characters of all texts together, for the same reason
_CORE = "tag:yaml.org,2002:"
_SCALARS = {"str", "timestamp", "null", "bool", "int", "float"}


@dataclass(frozen=True, slots=True)
class Place:
    """Counted from 1, as editors do. `file` where several files make one scenario."""

    line: int
    column: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing wrong with the text itself. `path` is where it is in the data, empty when there is no data yet."""

    place: Place
    path: Path
    message: str


class DocumentError(Exception):
    """The text is no readable document."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the place where it is written, and the place of the key that leads to it."""

    value: "bool | int | float | str | list[Node] | dict[str, Node] | None"
    place: Place
    key: Place | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data; `values` is where the value at a path begins, `keys` where the key that leads to it is."""

    data: Value
    values: dict[Path, Place]
    keys: dict[Path, Place]


def document_of(root: Node) -> Document:
    """The tree as plain data, with the places beside it."""
    values: dict[Path, Place] = {}
    keys: dict[Path, Place] = {}

    def build(node: Node, path: Path) -> Value:
        values[path] = node.place
        if node.key is not None:
            keys[path] = node.key
        match node.value:
            case dict():
                return {key: build(inner, (*path, key)) for key, inner in node.value.items()}
            case list():
                return [build(inner, (*path, index)) for index, inner in enumerate(node.value)]
        return node.value

    return Document(build(root, ()), values, keys)


def read_tree(text: str, file: str = "") -> Node:
    """Read one document; every place names `file`. Raises DocumentError with everything that is wrong with the text."""
    builder = _Builder(file)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        tree = Node(None, Place(1, 1, file)) if root is None else builder.build(root, ())
    except MarkedYAMLError as error:
        place = builder.place(error.problem_mark or error.context_mark)
        raise DocumentError(Diagnostic(place, (), _in_plain_words(error))) from None
    except ReaderError as error:
        place = replace(place_of(text, error.position), file=file)
        message = f"the character {text[error.position]!r} may not be in a YAML file"
        raise DocumentError(Diagnostic(place, (), message)) from None
    except RecursionError:
        raise DocumentError(Diagnostic(Place(1, 1, file), (), "nested too deeply to be a scenario")) from None
    if builder.diagnostics:
        raise DocumentError(*builder.diagnostics)
    return tree


def place_of(text: str, index: int) -> Place:
    """The place of the character at `index`."""
    before = text[:index]
    return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


@dataclass(slots=True)
class _Builder:
    """Walks the node graph of ruamel.yaml. A node that several aliases name is built, and counted, each time."""

    file: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    built: int = 0
    text: int = 0  # characters

    def build(self, node: YamlNode, path: Path, key: Place | None = None) -> Node:
        self.built += 1
        place = self.place(node.start_mark)
        if self.built > MOST_VALUES:
            message = f"more than {MOST_VALUES:,} values once its aliases are followed"
            raise DocumentError(Diagnostic(place, path, message))
        self.text += len(node.value) if isinstance(node, ScalarNode) else 0
        if self.text > MOST_TEXT:
            message = f"more than {MOST_TEXT:,} characters of text once its aliases are followed"
            raise DocumentError(Diagnostic(place, path, message))
        match node:
            case MappingNode() if node.tag == f"{_CORE}map":
                return Node(self.entries(node, path), place, key)
            case SequenceNode() if node.tag == f"{_CORE}seq":
                items = [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
                return Node(items, place, key)
            case ScalarNode() if (kind := str(node.tag).removeprefix(_CORE)) in _SCALARS:
                # The mark of an empty plain scalar is that of the next word: its key is the better place.
                empty = not node.value and not node.style
                return Node(_scalar(kind, node.value), key if empty and key is not None else place, key)
        self.diagnostics.append(Diagnostic(place, path, f"the tag {node.tag} is not read; a scenario is plain data"))
        return Node(None, place, key)

    def entries(self, mapping: MappingNode, path: Path) -> dict[str, Node]:
        found: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for key, value in mapping.value:
            place = self.place(key.start_mark)
            if not isinstance(key, ScalarNode):
                self.diagnostics.append(Diagnostic(place, path, "a key must be a word"))
            elif key.value == "<<":
                message = "merge keys ('<<') are not part of YAML 1.2; write the keys out, or alias a whole value"
                self.diagnostics.append(Diagnostic(place, path, message))
            elif key.value in found:
                message = f"{key.value!r} is there twice; the first is on line {keys[key.value].line}"
                self.diagnostics.append(Diagnostic(place, (*path, key.value), message))
            else:
                keys[key.value] = place
                found[key.value] = self.build(value, (*path, key.value), place)
        return found

    def place(self, mark: StringMark | None) -> Place:
        return Place(1, 1, self.file) if mark is None else Place(mark.line + 1, mark.column + 1, self.file)


def _in_plain_words(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error)
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces only"
    if problem.startswith("mapping values are not allowed here"):
        return "a ':' where no key can be; put text that contains ': ' in quotes, and check the indentation"
    if problem.startswith("but found another document"):
        return "a second document begins here ('---'); a file holds one scenario"
    return f"not readable as YAML: {f'{error.context}: ' if error.context else ''}{problem}"


def _scalar(kind: str, text: str) -> bool | int | float | str | None:
    """The value of a scalar; text that only looks like a number stays text, to be refused where a number is wanted."""
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() in {"true", "yes", "on"}
            case "int":
                digits = text.replace("_", "")
                base = {"0x": 16, "0o": 8}.get(digits.lstrip("+-")[:2], 10)
                # No number of the language has 20 digits, and Python refuses to read integers of more than 4,300.
                return int(digits, base) if len(digits) < 20 else text
            case "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text
    return text

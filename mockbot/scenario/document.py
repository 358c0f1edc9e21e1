"""Turn the text of a YAML 1.2 file into plain data that knows where each of its parts was written.

In: text. Out: a Document (mappings, lists and scalars only) or Diagnostics, each with its line and column. Rules: tags
build nothing, dates stay text, a key may occur once, and aliases cannot grow a small file into a huge one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

Path = tuple[str | int, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

MOST_VALUES = 20_000
_CORE = "tag:yaml.org,2002:"


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
class Document:
    """`values` and `keys` say where the value at a path begins, and where the key is that leads to it."""

    data: Value
    values: dict[Path, Place]
    keys: dict[Path, Place]


def read_document(text: str) -> Document:
    """Read one document; DocumentError says everything that is wrong with the text."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        builder = _Builder()
        data = None if root is None else builder.build(root, ())
    except MarkedYAMLError as error:
        raise DocumentError(
            Diagnostic(_place(error.problem_mark or error.context_mark), (), _in_words(error))
        ) from None
    except ReaderError as error:
        raise DocumentError(_unprintable(text, error.position)) from None
    except RecursionError:
        raise DocumentError(Diagnostic(Place(1, 1), (), "nested too deeply to be a scenario")) from None
    if builder.diagnostics:
        raise DocumentError(*builder.diagnostics)
    return Document(data, builder.values, builder.keys)


def place_of(text: str, index: int) -> Place:
    """The place of the character at `index`."""
    before = text[:index]
    return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


@dataclass(slots=True)
class _Builder:
    """Walks the node graph; a node that several aliases name is built, and counted, each time."""

    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    built: int = 0

    def build(self, node: Node, path: Path) -> Value:
        self.built += 1
        place = self.values[path] = _place(node.start_mark)
        if self.built > MOST_VALUES:
            message = f"more than {MOST_VALUES:,} values once its aliases are followed"
            raise DocumentError(Diagnostic(place, path, message))
        match node:
            case MappingNode() if node.tag == f"{_CORE}map":
                return dict(self._entries(node, path))
            case SequenceNode() if node.tag == f"{_CORE}seq":
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
            case ScalarNode() if (reader := _SCALARS.get(str(node.tag))) is not None:
                return reader(node.value)
        self.diagnostics.append(Diagnostic(place, path, f"the tag {node.tag} is not read; a scenario is plain data"))
        return None

    def _entries(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Value]]:
        for key, value in node.value:
            place = _place(key.start_mark)
            if not isinstance(key, ScalarNode):
                self.diagnostics.append(Diagnostic(place, path, "a key must be a word"))
            elif key.value == "<<":
                message = "merge keys ('<<') are not part of YAML 1.2; write the keys out, or alias a whole value"
                self.diagnostics.append(Diagnostic(place, path, message))
            elif (inner := (*path, key.value)) in self.keys:
                message = f"{key.value!r} is there twice; the first is on line {self.keys[inner].line}"
                self.diagnostics.append(Diagnostic(place, inner, message))
            else:
                self.keys[inner] = place
                yield key.value, self.build(value, inner)
                if isinstance(value, ScalarNode) and not value.value and not value.style:
                    self.values[inner] = place  # nothing is written there; its own mark is the next word's


def _place(mark: StringMark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)


def _in_words(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error)
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces only"
    if problem.startswith("mapping values are not allowed here"):
        return "a ':' where no key can be; put text that contains ': ' in quotes, and check the indentation"
    if problem.startswith("but found another document"):
        return "a second document begins here ('---'); a file holds one scenario"
    return f"not readable as YAML: {f'{error.context}: ' if error.context else ''}{problem}"


def _unprintable(text: str, index: int) -> Diagnostic:
    return Diagnostic(place_of(text, index), (), f"the character {text[index]!r} may not be in a YAML file")


def _whole(text: str) -> Value:
    digits = text.replace("_", "")
    base = {"0x": 16, "0o": 8}.get(digits.lstrip("+-")[:2], 10)
    return int(digits, base) if len(digits) < 20 else text


def _fraction(text: str) -> Value:
    return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))


def _or_text(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """What cannot be read as the number that it looks like stays text, and is refused where a number is wanted."""

    def reader(text: str) -> Value:
        try:
            return read(text)
        except ValueError:
            return text

    return reader


_SCALARS: dict[str, Callable[[str], Value]] = {
    f"{_CORE}str": str,
    f"{_CORE}timestamp": str,
    f"{_CORE}null": lambda _: None,
    f"{_CORE}bool": lambda text: text.lower() in {"true", "yes", "on"},
    f"{_CORE}int": _or_text(_whole),
    f"{_CORE}float": _or_text(_fraction),
}

"""Put a scenario over the one that it extends. Documents in, one out; a value knows its file. Pure.

The rule: mappings merge by key, lists of named things (the phases) by their name, null removes, anything else replaces.
A list of named things may be written as a mapping of the names; a policy of another name replaces the old one. The
`name` of a scenario is its own and never inherited.

    parent                                    child                        together
    phases: [{name: a, lasts: 1m}, {name: b}]  phases: {a: {lasts: 5m}}    [{name: a, lasts: 5m}, {name: b}]
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from mockbot.scenario.check import nearest
from mockbot.scenario.document import Diagnostic, Document, DocumentError, Path, Place, Value

EXTENDS = "extends"
_OWN = frozenset({EXTENDS, "name"})


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the place where it is written, and that of the key that leads to it."""

    value: "bool | float | str | list[Node] | dict[str, Node] | None"
    place: Place
    key: Place | None = None


def tree_of(document: Document, file: str, path: Path = ()) -> Node:
    """The document as nodes; every place says the file."""
    data, key = _at(document.data, path), document.keys.get(path)
    return Node(
        _inside(document, file, path, data),
        replace(document.values[path], file=file),
        None if key is None else replace(key, file=file),
    )


def _inside(
    document: Document, file: str, path: Path, data: Value
) -> "bool | float | str | list[Node] | dict[str, Node] | None":
    match data:
        case dict():
            return {key: tree_of(document, file, (*path, key)) for key in data}
        case list():
            return [tree_of(document, file, (*path, index)) for index in range(len(data))]
    return data


def _at(data: Value, path: Path) -> Value:
    for part in path:
        match data:
            case dict():
                data = data[str(part)]
            case list() if isinstance(part, int):
                data = data[part]
    return data


def document_of(root: Node) -> Document:
    """Back again."""
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


def extended(parent: Node, child: Node) -> Node:
    """The child over its parent; both are mappings. DocumentError when it removes what is not there."""
    inherited = {key: node for key, node in _mapping(parent).items() if key not in _OWN}
    said = {key: node for key, node in _mapping(child).items() if key != EXTENDS}
    return replace(child, value=_by_key(inherited, said, ()))


def _merged(parent: Node, child: Node, path: Path) -> Node:
    old, new = parent.value, child.value
    if _is_named_list(old) and (isinstance(new, dict) or _is_named_list(new)):
        return replace(child, value=_by_name(old, new, path))
    if isinstance(old, dict) and isinstance(new, dict) and not _is_another(parent, child):
        return replace(child, value=_by_key(old, new, path))
    return child


def _by_key(old: Mapping[str, Node], new: Mapping[str, Node], path: Path) -> dict[str, Node]:
    together = dict(old)
    for key, node in new.items():
        if node.value is None:
            _removable(key, node, old, (*path, key))
            del together[key]
        else:
            together[key] = _merged(old[key], node, (*path, key)) if key in old else node
    return together


def _by_name(old: Sequence[Node], new: Sequence[Node] | Mapping[str, Node], path: Path) -> list[Node]:
    """Who is new follows the one written before it, or comes last."""
    together = {_name(node): node for node in old}
    before = None
    for name, node in _entries(new, path):
        if node.value is None:
            _removable(name, node, together, (*path, name))
            del together[name]
        elif name in together:
            both = _by_key(_mapping(together[name]), _mapping(node), (*path, name))
            together[name] = replace(node, value=both)
        else:
            together = _with(together, name, node, before)
        before = name
    return list(together.values())


def _entries(new: Sequence[Node] | Mapping[str, Node], path: Path) -> Iterator[tuple[str, Node]]:
    """Every thing with its name, which a mapping has for its key."""
    if isinstance(new, Mapping):
        for name, node in new.items():
            yield name, _named(name, node, path)
        return
    seen: dict[str, Node] = {}
    for node in new:
        name = _name(node)
        if seen.setdefault(name, node) is not node:
            message = f"{name!r} is there twice; the first is on line {seen[name].place.line}"
            raise DocumentError(Diagnostic(node.place, (*path, name), message))
        yield name, node


def _named(name: str, node: Node, path: Path) -> Node:
    if node.value is None:
        return node
    if not isinstance(node.value, dict):
        message = f"should be a mapping of keys to values, or null to remove {name!r}"
        raise DocumentError(Diagnostic(node.place, (*path, name), message))
    return replace(node, value={"name": Node(name, node.key or node.place, node.key)} | node.value)


def _with(together: Mapping[str, Node], name: str, node: Node, before: str | None) -> dict[str, Node]:
    if before not in together:
        return {**together, name: node}
    parts = ([(key, kept)] + ([(name, node)] if key == before else []) for key, kept in together.items())
    return dict(pair for part in parts for pair in part)


def _removable(key: str, node: Node, known: Mapping[str, Node], path: Path) -> None:
    if key not in known:
        message = f"there is no {key!r} to remove{nearest(key, known)}"
        raise DocumentError(Diagnostic(node.key or node.place, path, message))


def _is_named_list(value: object) -> TypeGuard[list[Node]]:
    return isinstance(value, list) and bool(value) and all(isinstance(node, Node) and _name(node) for node in value)


def _is_another(parent: Node, child: Node) -> bool:
    return bool(_name(parent) and _name(child)) and _name(parent) != _name(child)


def _name(node: Node) -> str:
    name = _mapping(node).get("name")
    return name.value if name is not None and isinstance(name.value, str) else ""


def _mapping(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}

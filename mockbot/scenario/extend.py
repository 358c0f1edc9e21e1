"""Merge a scenario with the one that it extends: two trees in, one tree out, each value with its own file. Pure.

The rule: mappings merge by key, lists of named items (the phases) by name, null removes, anything else replaces.
A list of named items may be written as a mapping from their names; a policy of another name replaces the old one. The
`name` of a scenario is its own and never inherited.

    parent                                    child                        merged
    phases: [{name: a, lasts: 1m}, {name: b}]  phases: {a: {lasts: 5m}}    [{name: a, lasts: 5m}, {name: b}]
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from mockbot.scenario.document import Diagnostic, DocumentError, Node, Path
from mockbot.scenario.problems import nearest

EXTENDS = "extends"


def extended(parent: Node, child: Node) -> Node:
    """The child merged into its parent; both are mappings. Raises DocumentError when it removes what is not there."""
    inherited = {key: node for key, node in _mapping(parent).items() if key not in {EXTENDS, "name"}}
    own = {key: node for key, node in _mapping(child).items() if key != EXTENDS}
    return replace(child, value=_by_key(inherited, own, ()))


def _by_key(old: Mapping[str, Node], new: Mapping[str, Node], path: Path) -> dict[str, Node]:
    merged = dict(old)
    for key, node in new.items():
        if node.value is None:
            _remove(key, node, merged, (*path, key))
        else:
            merged[key] = _merged(old[key], node, (*path, key)) if key in old else node
    return merged


def _merged(parent: Node, child: Node, path: Path) -> Node:
    old, new = parent.value, child.value
    if _is_named_list(old) and (isinstance(new, dict) or _is_named_list(new)):
        return replace(child, value=_by_name(old, new, path))
    names = {_name(parent), _name(child)} - {""}  # two of them: another policy, which takes nothing from the old one
    if isinstance(old, dict) and isinstance(new, dict) and len(names) < 2:
        return replace(child, value=_by_key(old, new, path))
    return child


def _by_name(old: Sequence[Node], new: Sequence[Node] | Mapping[str, Node], path: Path) -> list[Node]:
    """A new item follows the one written before it in the child, or comes last."""
    merged = {_name(node): node for node in old}
    before = ""
    for name, node in _named_items(new, path):
        if node.value is None:
            _remove(name, node, merged, (*path, name))
        elif name in merged:
            merged[name] = replace(node, value=_by_key(_mapping(merged[name]), _mapping(node), (*path, name)))
        else:
            items = list(merged.items())
            position = list(merged).index(before) + 1 if before in merged else len(items)
            merged = dict([*items[:position], (name, node), *items[position:]])
        before = name
    return list(merged.values())


def _named_items(new: Sequence[Node] | Mapping[str, Node], path: Path) -> Iterator[tuple[str, Node]]:
    """Every item with its name, which is the key where the items are written as a mapping."""
    if isinstance(new, Mapping):
        for name, node in new.items():
            if isinstance(node.value, dict):
                yield name, replace(node, value={"name": Node(name, node.key or node.place, node.key)} | node.value)
            elif node.value is None:
                yield name, node
            else:
                message = f"should be a mapping of keys to values, or null to remove {name!r}"
                raise DocumentError(Diagnostic(node.place, (*path, name), message))
        return
    lines: dict[str, int] = {}
    for node in new:
        if (name := _name(node)) in lines:
            message = f"{name!r} is there twice; the first is on line {lines[name]}"
            raise DocumentError(Diagnostic(node.place, (*path, name), message))
        lines[name] = node.place.line
        yield name, node


def _remove(key: str, node: Node, merged: dict[str, Node], path: Path) -> None:
    if key not in merged:
        message = f"there is no {key!r} to remove{nearest(key, merged)}"
        raise DocumentError(Diagnostic(node.key or node.place, path, message))
    del merged[key]


def _is_named_list(value: object) -> TypeGuard[list[Node]]:
    return isinstance(value, list) and bool(value) and all(isinstance(node, Node) and _name(node) for node in value)


def _name(node: Node) -> str:
    """The `name` that a mapping holds; empty when there is none."""
    name = _mapping(node).get("name")
    return name.value if name is not None and isinstance(name.value, str) else ""


def _mapping(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}

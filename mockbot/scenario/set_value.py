"""Change one value of a scenario: a tree and `path=value` in, the changed tree out, with the option as its place. Pure.

    phase.blackout.lasts=5m        providers.main.slots=20        phases.blackout.faults.0.http_error=500

A part of the path is a key, the name of an item (phases), or the number of an item from 0. Only the last part may be
new: a key that the language knows and the file does not say. The value is YAML: `[1, 2]`, `{a: b}`, `null`.
"""

from dataclasses import replace

from mockbot.scenario.document import Diagnostic, DocumentError, Node, read_tree
from mockbot.scenario.problems import nearest

SINGULAR = {"phase": "phases", "provider": "providers"}  # of the keys that hold many


def with_value(root: Node, assignment: str) -> Node:
    """The tree with one value replaced. Raises DocumentError that quotes the option."""
    path, found, text = assignment.partition("=")
    where = f"--set {assignment}"
    value = read_tree(text, where)
    parts = path.strip().split(".")
    if not found or not all(parts):
        message = "write it as path=value, for instance phase.blackout.lasts=5m"
        raise DocumentError(Diagnostic(value.place, (), message))
    parts[0] = SINGULAR.get(parts[0], parts[0])
    return _changed(root, parts, replace(value, key=value.place), ())


def _changed(node: Node, parts: list[str], value: Node, done: tuple[str, ...]) -> Node:
    if not parts:
        return value
    part, *rest = parts
    path = (*done, part)
    match node.value:
        case dict() if part in node.value or not rest:
            old = node.value.get(part, value)
            return replace(node, value={**node.value, part: _changed(old, rest, value, path)})
        case list():
            names = [_name(item, str(index)) for index, item in enumerate(node.value)]
            keys = names if part in names else [str(index) for index in range(len(names))]
            if part in keys:
                items = list(node.value)
                items[keys.index(part)] = _changed(items[keys.index(part)], rest, value, path)
                return replace(node, value=items)
            known = names
        case dict():
            known = list(node.value)
        case _:
            raise DocumentError(Diagnostic(value.place, done, f"is one value; there is no {part!r} in it"))
    raise DocumentError(Diagnostic(value.place, path, f"there is no {part!r}{nearest(part, known)}"))


def _name(item: Node, otherwise: str) -> str:
    name = item.value.get("name") if isinstance(item.value, dict) else None
    return name.value if name is not None and isinstance(name.value, str) else otherwise

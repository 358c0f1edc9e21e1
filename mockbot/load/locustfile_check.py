"""Find the mistakes of a locustfile before anything starts: `python -m mockbot.load.locustfile_check FILE FOR CHECKED`.

FOR is a LoadedFor as JSON. The file is loaded as Locust does it. Prints one line that begins with the text
CHECKED and goes on with the mistakes as a JSON list, each with file, line and remedy; the file may print lines, too.
"""

import ast
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import isclass
from pathlib import Path
from urllib.parse import urlsplit

from locust import FastHttpUser, TaskSet, User
from pydantic import TypeAdapter

from mockbot.load.locust_private import load_locustfile
from mockbot.load.measured_user import MeasuredUser
from mockbot.load.plain_users import PlainUser
from mockbot.load.user_classes import measured


@dataclass(frozen=True, slots=True)
class LoadedFor:
    """What the file is to be used for. `system`: there is one; `url`: where it listens, when that is known."""

    system: bool
    url: str | None
    groups: tuple[str, ...]
    arriving: tuple[str, ...]  # of these, the open ones


LOADED_FOR = TypeAdapter(LoadedFor)


def mistakes(path: Path, use: LoadedFor) -> Iterator[str]:
    """One line each: `file:line: what, what to do`."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:  # ValueError: a zero byte
        yield f"{path}:{getattr(error, 'lineno', None) or 1}: is not Python: {getattr(error, 'msg', error)}"
        return
    lines = {node.name: node.lineno for node in tree.body if isinstance(node, ast.ClassDef)}
    yield from (
        f"{path}:{node.lineno}: class {node.name} is defined again, and only the last one counts; rename one"
        for index, node in enumerate(tree.body)
        if isinstance(node, ast.ClassDef) and any(_defines(each, node.name) for each in tree.body[:index])
    )
    try:
        users, _ = load_locustfile(str(path.absolute()))
    # Whatever the user's own code raises when it is imported.
    except BaseException as error:
        yield _import_failed(path, error)
        return
    if not users:
        abstract = [name for name, each in vars(sys.modules[_module(path)]).items() if _is_own_user(each, path)]
        yield _no_user_class(path, abstract, lines, use)
    for name, user in users.items():
        yield from (f"{path}:{lines.get(name, 1)}: class {name} {what}" for what in _of_class(user, use))
    yield from _shared_groups(path, users, lines, use)


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == name


def _module(path: Path) -> str:
    return "locustfile" if path.stem == "locust" else path.stem


def _is_own_user(value: object, path: Path) -> bool:
    return isclass(value) and issubclass(value, User) and value.__module__ == _module(path)


def _import_failed(path: Path, error: BaseException) -> str:
    frames = [each for each in traceback.extract_tb(error.__traceback__) if Path(each.filename) == path.absolute()]
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    remedy = "correct it, and import it with `python " + path.name + "`"
    if isinstance(error, ModuleNotFoundError):
        remedy = f"install {error.name!r} where mockbot is installed, or put its file beside this one"
    return f"{path}:{frames[-1].lineno if frames else 1}: cannot be imported: {what}; {remedy}"


def _no_user_class(path: Path, abstract: Sequence[str], lines: dict[str, int], use: LoadedFor) -> str:
    wanted = f"mockbot.ChatUser{' or locust.HttpUser' if use.system else ''}"
    if abstract:
        name = abstract[0]
        return f"{path}:{lines.get(name, 1)}: class {name} is abstract, and no other is there; set `abstract = False`"
    return f"{path}:1: has no user class; write one that inherits {wanted}"


def _of_class(user: type[User], use: LoadedFor) -> Iterator[str]:
    """What is wrong with one class."""
    able = measured(user, system=use.system)
    if able is None:
        why = "is a FastHttpUser" if issubclass(user, FastHttpUser) else "is no ChatUser"
        why = why if use.system else "is no ChatUser, and plain Locust users need --system"
        wanted = "HttpUser or mockbot.ChatUser" if use.system else "mockbot.ChatUser"
        yield f"{why}, so its requests cannot be recorded; inherit {wanted}"
        return
    yield from _of_host(user.host, use)
    if not user.tasks:
        yield "has no task; write a method with @task"
    for each in user.tasks:
        if not callable(each) or (isclass(each) and not issubclass(each, TaskSet)):
            yield f"has the task {each!r}, which is neither a function nor a TaskSet; put @task before a method"
    if issubclass(able, PlainUser):
        serves = {able.group_name} & {*use.groups} or {*use.groups}
        if arriving := sorted(serves & {*use.arriving}):
            yield f"is an HttpUser and cannot arrive, as group {arriving[0]!r} does; inherit mockbot.ChatUser"


def _of_host(host: str | None, use: LoadedFor) -> Iterator[str]:
    if host is None:
        return
    place = urlsplit(host)
    if place.scheme not in {"http", "https"} or not place.hostname:
        yield f"has the host {host!r}, which is not a URL like http://127.0.0.1:8000; correct it, or leave it out"
    elif use.url is not None and place.netloc != urlsplit(use.url).netloc:
        yield f"has the host {host}, and --system is {use.url}; leave the host out"


def _shared_groups(path: Path, users: dict[str, type[User]], lines: dict[str, int], use: LoadedFor) -> Iterator[str]:
    """Two classes for one group: only the first would be used."""
    first: dict[str, str] = {}
    for name, user in users.items():
        group = getattr(user, "group_name", MeasuredUser.group_name)
        if first.setdefault(group, name) != name:
            say = f"class {name} has the same group_name as {first[group]}, {group!r}, and would never run"
            yield f"{path}:{lines.get(name, 1)}: {say}; give it another one, of {', '.join(use.groups)}"


if __name__ == "__main__":
    print(sys.argv[3], json.dumps([*mistakes(Path(sys.argv[1]), LOADED_FOR.validate_json(sys.argv[2]))]))  # noqa: T201

"""Replace `{names}` and `${VARIABLES}` in the strings of a system file, after it was parsed. Pure.

    {main.url} {main.address} {main.key}     of each provider, by its name: base URL without /v1, host:port
    {status.url} {systems}                   of the status page; the folder of the bundled systems
    {python}                                 the interpreter that runs mockbot, with what is installed beside it
    {dir} {port}                             of a system that mockbot starts
    {prompt} {user} {group} {key}            of each request

Only known names are replaced; anything else in braces stays as it is, because configurations are full of braces. A
value that is put in is never looked at again. `${NAME}`, a variable of the environment, must be there where it is read.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast
from urllib.parse import urlsplit

from mockbot.scenario.library import folder

_Leaf = TypeVar("_Leaf")
KEY = "sk-free-system"  # what the providers take for the system's own key

_NAME = re.compile(r"\{([a-z][a-z0-9_.-]*)\}")
_OF_PROVIDER = re.compile(r"\{([a-z0-9][a-z0-9_-]*)\.(?:url|address|key)\}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(value: _Leaf, names: Mapping[str, str]) -> _Leaf:
    """The value with every known name replaced, in all its strings: mappings and lists are followed, keys are not."""
    match value:
        case str():
            return cast("_Leaf", _NAME.sub(lambda found: names.get(found[1], found[0]), value))
        case dict():
            return cast("_Leaf", {key: filled(inner, names) for key, inner in value.items()})
        case list() | tuple():
            return cast("_Leaf", type(value)(filled(inner, names) for inner in value))
    return value


def unknown_provider(texts: Iterable[str], names: Mapping[str, str]) -> str | None:
    """The first `{NAME.url}` (or address, key) in these texts whose provider there is not."""
    found = (name for text in texts for name in _OF_PROVIDER.findall(text))
    return next((name for name in found if f"{name}.url" not in names), None)


def from_environment(text: str, environment: Mapping[str, str]) -> str:
    """The text with every `${NAME}` replaced. KeyError with the name when the environment has no such variable."""
    return _VARIABLE.sub(lambda found: environment[found[1]], text)


def variables_in(texts: Iterable[str]) -> frozenset[str]:
    """The variables of the environment that these texts read."""
    return frozenset(name for text in texts for name in _VARIABLE.findall(text))


def names_of_testbed(providers: Mapping[str, str], status_page: str) -> dict[str, str]:
    """The names that stand for parts of a testbed. `providers`: base URLs without /v1, as the system reaches them."""
    names = {"status.url": status_page, "systems": str(folder("loadtests") / "systems"), "python": sys.executable}
    for provider, url in providers.items():
        names |= {f"{provider}.url": url, f"{provider}.address": urlsplit(url).netloc, f"{provider}.key": KEY}
    return names

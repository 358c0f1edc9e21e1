"""A system under test as frozen values: what `--system FILE|URL|COMMAND` names in, a System out.

A system file is the only file that may start a program, and only because its user names it. Everything in it is data:
`names.py` says what is replaced in its strings, and when.
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator

from mockbot.errors import UsageError
from mockbot.scenario.diagnostics import diagnose
from mockbot.scenario.document import DocumentError, document_of, read_tree
from mockbot.scenario.library import folder
from mockbot.scenario.load import lines_of
from mockbot.scenario.parts import Name
from mockbot.testbed.system.asking import Ask
from mockbot.testbed.system.names import filled, from_environment, variables_in
from mockbot.units.frozen_model import Model
from mockbot.units.quantities import IN_A_FILE, Duration

ENDINGS = (".yaml", ".yml")


def _within_the_folder(name: str) -> str:
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts:
        raise ValueError(f"{name!r} is not a file within {{dir}}; write a relative path without '..'")
    return name


def _is_http(url: str) -> str:
    known = "{" in url or (urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname)
    if not known:
        raise ValueError(f"{url!r} is not a URL like http://127.0.0.1:4000")
    return url.rstrip("/")


def _splits(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"{command!r} cannot be split into words: {error}") from None
    if not words:
        raise ValueError("is empty; write the command that starts the system")
    if "=" in words[0] or not {"&&", "||", "|", ">", ";"}.isdisjoint(words):
        raise ValueError(f"{command!r} is not run by a shell; put variables into `env`, and a script into `files`")
    return command


class Ready(Model):
    """The system is ready when `path` answers with a status below 400, or any path with one below 500."""

    path: str | None = Field(None, pattern=r"^/", description="without it, any answer below 500 to / will do")
    within: Duration = Field(60.0, gt=0, description="how long the start may take")


class System(Model):
    """A system under test: how it is started, when it is ready, and how it is asked."""

    name: Name
    start: Annotated[str, AfterValidator(_splits)] | None = Field(
        None, description="the command that starts it; without it, the system runs already, at `url`"
    )
    url: Annotated[str, AfterValidator(_is_http)] | None = Field(
        None, description="where it listens; http://127.0.0.1:{port} when mockbot starts it"
    )
    files: dict[Annotated[str, AfterValidator(_within_the_folder)], str] = Field(
        default_factory=dict, description="files that are put into {dir} before the start"
    )
    env: dict[str, str] = Field(default_factory=dict, description="variables of its environment")
    ready: Ready = Ready()
    speaks: Literal["openai", "anthropic"] | None = Field(None, description="the provider's API that it takes")
    model: str = Field("mockbot", description="the model that the crowd asks for, with `speaks`")
    key: str = Field("sk-mockbot", description="the API key that the crowd sends, with `speaks`; {user} is known")
    ask: Ask | None = Field(None, description="how an endpoint of its own is asked, instead of `speaks`")

    @model_validator(mode="after")
    def _complete(self) -> "System":
        if (self.speaks is None) == (self.ask is None):
            found = "has both 'speaks' and 'ask'" if self.ask else "says neither 'speaks' nor 'ask'"
            raise ValueError(f"{found}; how is it asked? Write 'speaks: openai', or 'ask:' for an endpoint of its own")
        if self.start is None and self.url is None:
            raise ValueError("has neither 'start' nor 'url'; where is it?")
        if self.start is None and (self.files or self.env):
            raise ValueError("'files' and 'env' are for a system that mockbot starts; it has no 'start'")
        return self

    def filled(self, names: Mapping[str, str]) -> "System":
        """The system with every known name replaced, except in `start`, which is split into words first."""
        update = {name: filled(getattr(self, name), names) for name in ("url", "files", "env", "key")}
        if self.ask:
            request = self.ask.request.filled(names)
            return self.model_copy(update={**update, "ask": self.ask.model_copy(update={"request": request})})
        return self.model_copy(update=update)

    def with_environment(self, environment: Mapping[str, str]) -> tuple["System", frozenset[str]]:
        """The system with each `${NAME}` of its url, env, key and request headers replaced, and these values, secret.

        Raises UsageError for a variable that is not set. `start` and `files` are left alone: their `${...}` are the
        system's own, and a secret is not written into a file.
        """
        headers = self.ask.request.headers if self.ask else {}
        read = [self.url or "", self.key, *self.env.values(), *headers.values()]
        missing = sorted(variables_in(read) - environment.keys())
        if missing:
            raise UsageError(f"system {self.name}: ${{{missing[0]}}} is not set; export it before the run")
        update: dict[str, object] = {
            "url": self.url and from_environment(self.url, environment),
            "key": from_environment(self.key, environment),
            "env": {name: from_environment(text, environment) for name, text in self.env.items()},
        }
        if self.ask:
            sent = {name: from_environment(text, environment) for name, text in headers.items()}
            request = self.ask.request.model_copy(update={"headers": sent})
            update["ask"] = self.ask.model_copy(update={"request": request})
        return self.model_copy(update=update), frozenset(environment[name] for name in variables_in(read))


def read_system(target: str) -> System:
    """What `--system` names: a FILE (it ends in .yaml or .yml), a URL (it has ://), a bundled system, or a COMMAND.

    Raises UsageError with everything that is wrong with it.
    """
    if target.endswith(ENDINGS):
        return load_system(Path(target))
    bundled = folder("loadtests") / "systems" / f"{target}.yaml"
    if "/" not in target and bundled.exists():
        return load_system(bundled)
    short: dict[str, object] = {"name": "system", "speaks": "openai", "url": target}
    if "://" not in target:
        program = re.sub("[^a-z0-9_-]", "-", Path(target.partition(" ")[0]).name.lower()).strip("-_")
        short = {"name": program or "system", "speaks": "openai", "start": target}
    try:
        return System.model_validate(short)
    except ValidationError as error:
        messages = [each["msg"].removeprefix("Value error, ") for each in error.errors()]
        raise UsageError(f"--system {target}: {'; '.join(messages)}") from None


def load_system(path: Path) -> System:
    """Read and check one file. Raises UsageError, a line `file:line:column: path: message` for each problem."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}; name a file that can"
        ) from None
    try:
        document = document_of(read_tree(text, str(path)))
        return System.model_validate(document.data, context=IN_A_FILE)
    except DocumentError as error:
        raise UsageError(lines_of(str(path), error.diagnostics, "system")) from None
    except ValidationError as error:
        raise UsageError(lines_of(str(path), diagnose(error, document, System), "system")) from None

"""The options that say where the answers of upstreams and replays come from: words in, UpstreamSettings out."""

import functools
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import click

from mockbot.errors import UsageError
from mockbot.upstream.settings import UpstreamSettings, elsewhere


def upstream_options(
    environment: MutableMapping[str, str], *, folder: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options to a command, which gets them as `upstreams`; --record, which each command words, is among them.

    `folder`: its --record may also name a run folder, which the command gets as `record`.
    """

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @click.option("--upstream", "urls", multiple=True, metavar="NAME=URL", help="Where a real provider is.")
        @click.option(
            "--upstream-key", "keys", multiple=True, metavar="NAME=VARIABLE",
            help="Environment variable with the key for it, which replaces the clients' keys.",
        )  # fmt: skip
        @click.option("--replay", "replays", multiple=True, metavar="NAME=FILE", help="Recorded answers to give again.")
        @click.option(
            "--replay-ignore", "ignore", multiple=True, metavar="REGEX",
            help="Text in which a request may differ from the recorded one; ids and times are ignored anyway.",
        )  # fmt: skip
        @click.option("--spend", type=click.IntRange(min=1), metavar="N", help="Send at most N requests to upstreams.")
        @functools.wraps(command)
        def wrapped(
            *args: Any, urls: Sequence[str], keys: Sequence[str], replays: Sequence[str], ignore: tuple[str, ...],
            spend: int | None, record: Sequence[str] = (), **more: Any,
        ) -> None:  # fmt: skip
            if folder:
                folders, record = [each for each in record if "=" not in each], [each for each in record if "=" in each]
                more["record"] = Path(folders[-1]) if folders else None
            settings = UpstreamSettings(
                urls=_named("--upstream", urls),
                keys=_keys(_named("--upstream-key", keys), environment),
                record=_named("--record", record),
                replay=_named("--replay", replays),
                spend=spend,
                ignore=ignore,
            )
            command(*args, upstreams=settings, **more)

        return wrapped

    return decorated


def _named(option: str, given: Sequence[str]) -> Mapping[str, Any]:
    found: dict[str, str] = {}
    for each in given:
        name, is_there, value = each.partition("=")
        if not (is_there and name and value) or name in found:
            raise UsageError(f"{option}: write it once for a provider, as NAME=VALUE")
        found[name] = value
    return found


def _keys(variables: Mapping[str, str], environment: MutableMapping[str, str]) -> Mapping[str, Any]:
    """The keys, which are then gone from the environment: no child of this process inherits them."""
    for name, variable in variables.items():
        if not environment.get(variable):  # what was given may be the key itself, and is not printed
            raise UsageError(f"--upstream-key {name}=…: there is no environment variable of this name, or it is empty")
    keys = {name: environment[variable] for name, variable in variables.items()}
    for variable in set(variables.values()):
        del environment[variable]
    return keys


def check_spending(settings: UpstreamSettings) -> tuple[str, ...]:
    """What a crowd may send to upstreams, in sentences. UsageError where a crowd would go elsewhere without a limit."""
    far = elsewhere(settings)
    if far and settings.spend is None:
        url = next(iter(far.values()))
        raise UsageError(f"a crowd would ask {url}, a real provider, as often as it likes: cap it with --spend N")
    most = "as many requests as the crowd sends" if settings.spend is None else f"at most {settings.spend} requests"
    return tuple(f"{most} go to {name}'s upstream, {url}" for name, url in settings.urls.items())

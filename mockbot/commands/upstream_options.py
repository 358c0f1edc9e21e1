"""The options that say where the answers of upstreams and replays come from: words in, UpstreamSettings out."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from mockbot.errors import UsageError
from mockbot.upstream.settings import UpstreamSettings, elsewhere


def upstream_settings(
    urls: Sequence[str], keys: Sequence[str], record: Sequence[str], replays: Sequence[str], spend: int | None,
    ignore: tuple[str, ...], environment: MutableMapping[str, str],
) -> UpstreamSettings:  # fmt: skip
    """What the options say; a key goes from the environment, so that no child of this process inherits it."""
    return UpstreamSettings(
        urls=_named("--upstream", urls),
        keys=_keys(_named("--upstream-key", keys), environment),
        record=_named("--record", record),
        replay=_named("--replay", replays),
        spend=spend,
        ignore=ignore,
    )


def _named(option: str, given: Sequence[str]) -> Mapping[str, Any]:
    found: dict[str, str] = {}
    for each in given:
        name, is_there, value = each.partition("=")
        if not (is_there and name and value) or name in found:
            raise UsageError(f"{option}; write it once for a provider, as NAME=VALUE")
        found[name] = value
    return found


def _keys(variables: Mapping[str, str], environment: MutableMapping[str, str]) -> Mapping[str, Any]:
    """The keys, which are then gone from the environment: no child of this process inherits them."""
    for name, variable in variables.items():
        if not environment.get(variable):  # what was given may be the key itself, and is not printed
            raise UsageError(
                f"--upstream-key {name}=…: no environment variable has this name and a value; export it before the run"
            )
    keys = {name: environment[variable] for name, variable in variables.items()}
    for variable in set(variables.values()):
        del environment[variable]
    return keys


def check_spending(settings: UpstreamSettings) -> tuple[str, ...]:
    """What a crowd may send to upstreams, in sentences. UsageError where a crowd would go elsewhere without a limit."""
    far = elsewhere(settings)
    if far and settings.spend is None:
        url = next(iter(far.values()))
        raise UsageError(f"a crowd would ask {url}, a real provider, as often as it likes; cap it with --spend N")
    most = "as many requests as the crowd sends" if settings.spend is None else f"at most {settings.spend} requests"
    return tuple(f"{most} go to {name}'s upstream, {url}" for name, url in settings.urls.items())

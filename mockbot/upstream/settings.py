"""Where the answers of upstreams and replays come from: the command line in, one value for the service out.

A scenario never names an address, a key or a file: whoever runs it does. The value travels to the service's process as
a line of its stdin, because it may hold a key, which belongs in no command line and in no file.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr, field_serializer

from mockbot.errors import UsageError
from mockbot.scenario.schema import Scenario
from mockbot.units.frozen_model import Model


class UpstreamSettings(Model):
    """By provider: `urls` of upstreams, the `keys` that replace the clients', files to `record` into and to `replay`.

    `spend`: how many requests may be sent to upstreams, all together; None: any number.
    """

    urls: Mapping[str, str] = {}
    keys: Mapping[str, SecretStr] = {}
    record: Mapping[str, Path] = {}
    replay: Mapping[str, Path] = {}
    spend: int | None = None
    ignore: tuple[str, ...] = ()  # regular expressions: what they match may differ between a request and a recorded one

    @field_serializer("keys", when_used="json")
    def _told(self, keys: Mapping[str, SecretStr]) -> dict[str, str]:
        return {name: key.get_secret_value() for name, key in keys.items()}


NO_UPSTREAMS = UpstreamSettings()


def check_settings(scenario: Scenario, settings: UpstreamSettings, speed: float = 1.0) -> None:
    """UsageError where a provider lacks what it needs, or the command line names what the scenario does not have."""
    real = {name for name, each in scenario.providers.items() if each.upstream is not None}
    replayed = {name for name, each in scenario.providers.items() if each.replay}
    for name in sorted(real - settings.urls.keys()):
        raise UsageError(f"provider {name!r} is `upstream: real`; say where it is: --upstream {name}=URL")
    for name in sorted(replayed - settings.replay.keys()):
        raise UsageError(f"provider {name!r} is `replay: true`; say which recording: --replay {name}=FILE")
    for option, names, fitting, key in (
        ("--upstream", settings.urls, real, "upstream: real"),
        ("--upstream-key", settings.keys, real, "upstream: real"),
        ("--record", settings.record, real, "upstream: real"),
        ("--replay", settings.replay, replayed, "replay: true"),
    ):
        for name in names:
            if name not in fitting:
                raise UsageError(f"{option} {name}=…: the scenario has no provider {name!r} with `{key}`; leave it out")
    for name, url in settings.urls.items():
        _check_address(name, url)
    if real and speed != 1:
        raise UsageError(f"a real provider keeps its own clock and fits no speed of {speed:g}; use --speed 1")


def _check_address(name: str, url: str) -> None:
    place = urlsplit(url)
    if place.scheme not in {"http", "https"} or not place.hostname or place.query or place.fragment:
        raise UsageError(f"--upstream {name}={url}; write it as http(s)://HOST[:PORT][/PATH]")
    if place.username is not None:
        raise UsageError(f"--upstream {name}=…: a key does not belong in an address; use --upstream-key")


def elsewhere(settings: UpstreamSettings) -> dict[str, str]:
    """The upstreams that are not on this machine, by provider. A name that is not `localhost` may be anywhere."""
    return {name: url for name, url in settings.urls.items() if not _on_loopback(urlsplit(url).hostname or "")}


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

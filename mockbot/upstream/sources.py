"""The source of answers of each provider that makes none up: a Scenario and the command line's settings in."""

from collections.abc import Callable, Mapping

from mockbot.dialects.families import FAMILIES
from mockbot.errors import UsageError
from mockbot.scenario.schema import Scenario
from mockbot.upstream.answer_recording import Recorder, read_recording
from mockbot.upstream.exchange import Asked, Exchange, NotGivenError, Source
from mockbot.upstream.real import Real
from mockbot.upstream.replay import Replay, compiled
from mockbot.upstream.settings import UpstreamSettings, check_settings


def check_upstreams(scenario: Scenario, settings: UpstreamSettings, speed: float) -> None:
    """UsageError for whatever can be known to be wrong before anything starts: the files are looked into, too."""
    check_settings(scenario, settings, speed)
    compiled(settings.ignore)
    for file in settings.record.values():
        if file.exists() or not file.parent.is_dir():
            raise UsageError(f"--record {file}; name a new file in a folder that is there")
    for file in settings.replay.values():
        for _ in read_recording(file):
            pass


def sources_of(
    scenario: Scenario, settings: UpstreamSettings, speed: float, note: Callable[[str], None]
) -> Mapping[str, Source]:
    """By provider; `note` is told what goes wrong with a file. UsageError where the settings do not fit."""
    check_settings(scenario, settings, speed)
    spend = _Spend(settings.spend)
    sources: dict[str, Source] = {}
    for name, url in settings.urls.items():
        key = settings.keys.get(name)
        family = FAMILIES[scenario.providers[name].dialect]
        headers = None if key is None else family.credentials(key.get_secret_value())
        real: Source = Real(url, headers)
        if name in settings.record:
            real = Recorder(real, settings.record[name], note)
        sources[name] = _Capped(real, spend)
    for name, file in settings.replay.items():
        sources[name] = Replay(file, 1 / speed, settings.ignore)
    return sources


class _Spend:
    """How many requests may still be sent to upstreams, all together."""

    def __init__(self, most: int | None) -> None:
        self.most, self.sent = most, 0


class _Capped:
    """A source that is asked no more often than may be spent."""

    def __init__(self, source: Source, spend: _Spend) -> None:
        self._source, self._spend, self.scale = source, spend, source.scale

    def ask(self, asked: Asked, exchange: Exchange) -> None:
        """As Source."""
        spend = self._spend
        if spend.most is not None and spend.sent >= spend.most:
            name = f"--spend {spend.most}"
            raise NotGivenError(503, "spend", name, f"mockbot sends no more requests to the upstream: {name}")
        spend.sent += 1
        self._source.ask(asked, exchange)

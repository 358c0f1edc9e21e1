"""What clients asked for in vain: the service's counts in, sentences with the counts out. Pure.

A count's key is its kind, a blank, and what was asked for: "parameter logit_bias", "url POST /v1/batches",
"model deepseek-chat", "spend --spend 20". Keys travel in `ServiceSecond.unserved`, as felt faults do in `felt`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from mockbot.dialects.families import FAMILIES
from mockbot.evidence.records import ServiceSecond
from mockbot.scenario.model_names import listed
from mockbot.scenario.schema import Scenario
from mockbot.units.formatting import format_counted

Kind = Literal["parameter", "url", "model", "upstream", "spend", "replay"]

MOST = 100  # different keys of a provider and run; a client that makes names up must not fill the memory
LONGEST = 120  # characters of a name
_ID = re.compile(r"/(?=[^/]*\d)[^/]{16,}")  # a segment of a path that names one object: /v1/files/file-8a3f…


def key_of(kind: Kind, name: str) -> str:
    """The key of what was asked for; paths that differ in ids only have the same."""
    name = _ID.sub("/ID", name) if kind == "url" else name
    return f"{kind} {''.join(each if each.isprintable() else '?' for each in name[:LONGEST])}"


def counted(seconds: Iterable[ServiceSecond]) -> Counter[str]:
    """The sum over these seconds."""
    return sum((Counter(second.unserved) for second in seconds), Counter[str]())


def sentences(counts: Mapping[str, int], scenario: Scenario) -> tuple[str, ...]:
    """One sentence for each kind that there is, with what is served instead."""
    found = {kind: _of(kind, counts) for kind in ("parameter", "url", "model")}
    families = [FAMILIES[name] for name in dict.fromkeys(each.dialect for each in scenario.providers.values())]
    told = []
    if found["parameter"]:
        names = ", ".join(f"`{name}` ({format_counted(n, 'time')})" for name, n in found["parameter"])
        told.append(f"your client asked for {names}, which mockbot does not do: docs/api.md")
    if found["url"]:
        paths = ", ".join(dialect.path for family in families for dialect in family.dialects)
        told.append(f"{_requests(found['url'], 'to')}, which mockbot does not serve; it serves {paths}: docs/api.md")
    if found["model"]:
        models = (listed(each.models, FAMILIES[each.dialect].models) for each in scenario.providers.values())
        names = ", ".join(dict.fromkeys(name for each in models for name in each))
        told.append(f"{_requests(found['model'], 'for the model')}, which mockbot does not serve; it serves {names}")
    return (*told, *not_given(counts))


def not_given(counts: Mapping[str, int]) -> tuple[str, ...]:
    """One sentence for each reason why requests got no real or recorded answer, which makes a run inconclusive."""
    told = []
    for why, times in _of("upstream", counts):
        told.append(f"{format_counted(times, 'request')} got no connection to the upstream: {why}; see --upstream")
    if spent := _of("spend", counts):
        told.append(f"{_requests(spent, 'beyond')} got no real answer: allow more, or shorten the scenario")
    if missed := _of("replay", counts):
        told.append(f"{_requests(missed, 'without a recorded answer,')}: record anew, or see --replay-ignore")
    return tuple(told)


def leads_elsewhere(variables: tuple[str, ...]) -> str:
    """The end of a sentence about a client that asked nothing here: where it may have gone."""
    if not variables:
        return ""
    return f"; its environment has {', '.join(variables)}, with which a client asks a real provider"


def _of(kind: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names and counts, the most frequent first."""
    found = [(key.partition(" ")[2], n) for key, n in counts.items() if key.startswith(f"{kind} ")]
    return sorted(found, key=lambda each: (-each[1], each[0]))


def _requests(found: list[tuple[str, int]], what: str) -> str:
    return ", ".join(f"{format_counted(n, 'request')} {what} {name}" for name, n in found)

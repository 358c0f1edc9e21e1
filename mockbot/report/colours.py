"""A scenario in, its colours out: a group, a provider or an outcome has the same one in every chart of every page.

The three kinds have palettes of their own, so that no line of a group looks like an outcome. All are Paul Tol's, made
to be told apart by the colour-blind (SRON/EPS/TN/09-002, issue 3.2: "bright", "high-contrast" and "muted").
"""

from collections.abc import Mapping
from itertools import cycle

from mockbot.evidence.records import Outcome
from mockbot.scenario.schema import Scenario

GROUPS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB")
PROVIDERS = ("#004488", "#DDAA33", "#BB5566")
RUNS = ("#004488", "#BB5566")
QUANTILES = ("#AAAAAA", "#555555", "#000000")  # the higher the darker
FAULT, STATUS = "#BB5566", "#004488"
OUTCOME: Mapping[Outcome, str] = {
    "ok": "#44AA99",
    "http_error": "#CC6677",
    "rate_limited": "#DDCC77",
    "refused": "#332288",
    "tls_error": "#BBCC33",
    "reset": "#882255",
    "closed": "#EE8866",  # of "light": "muted" has no more
    "timeout": "#88CCEE",
    "slow": "#117733",
    "truncated": "#AA4499",
    "error_event": "#999933",
    "malformed": "#661100",
    "blank": "#DDDDDD",
    "unfinished": "#000000",
}


ANSWERED = {"short": "#AA4499", "canned": "#DDCC77", "nobody": "#CC6677"}  # beside the providers' colours


def group_colours(scenario: Scenario) -> Mapping[str, str]:
    """In the order of the scenario's crowd; the eighth group has the first colour again."""
    return dict(zip(scenario.crowd, cycle(GROUPS), strict=False))


def provider_colours(scenario: Scenario) -> Mapping[str, str]:
    """In the order of the scenario's providers; the fourth has the first colour again."""
    return dict(zip(scenario.providers, cycle(PROVIDERS), strict=False))

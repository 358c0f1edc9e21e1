"""What a first scenario can be asked for: its cause, how a failure shows, the users. Pure data."""

from typing import Literal, NamedTuple, get_args

Cause = Literal["surge", "maintenance", "failure"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
FEWEST, MOST = 30, 300  # users of a live run; `simulate --users` has more
Broke = Literal["everything", "errors", "cut", "slow", "region", "vendor"]
BROKE: tuple[Broke, ...] = get_args(Broke)
NAIVE = """\
  - {phase: outage, group: sdk, availability: "<= 50%"}
"""
_CAREFUL = """\
  - {phase: outage, group: careful, availability: ">= 80%"}
"""


class Failure(NamedTuple):
    """How a failure shows: the title, the faults, the second provider and who asks it, what the naive come to."""

    title: str
    faults: str
    naive: str = ""
    second: str = ""
    elsewhere: str = ""  # another group's own provider
    fails_over: str = ""


FAILURES: dict[Broke, Failure] = {
    "everything": Failure(
        "Everything is down for $length",
        """\
      - http_error: 503
      # - {reset_peer: 0s, share: 50%, lasts: 1m}   on the wire, too: half of the connections are reset at first""",
        NAIVE,
    ),
    "errors": Failure(
        "Four requests in ten fail for $length",
        """\
      - {http_error: 500, share: 40%}   # of the requests; `share: 40% -> 5%` changes over the phase""",
        _CAREFUL,
    ),
    "cut": Failure(
        "Half of the answers are cut for $length",
        """\
      - {cut: {how: closed, after_tokens: 8}, share: 50%}   # or reset; or clean, which many take for the end""",
        _CAREFUL,
    ),
    "slow": Failure(
        "Answers take four times as long for $length",
        """\
      - slow: 4   # times; the same slots then serve a fourth of the requests""",
        NAIVE,
    ),
    "region": Failure(
        "One of two regions is down for $length",
        """\
      - http_error: 503   # of the first region, as `on: main` would say""",
        """\
  - {phase: outage, group: sdk, availability: ">= 90%"}
""",
        "other-region",
        """
    uses: other-region""",
        """
    falls_over_to: other-region""",
    ),
    "vendor": Failure(
        "A vendor is gone for $length, and some can go to another",
        """\
      - down: true   # nothing listens there any more""",
        _CAREFUL,
        "other-vendor",
        "",
        """
    falls_over_to: other-vendor""",
    ),
}

"""Rules for Prometheus of the burn-rate alerts that the report knows: an objective in, a rules file out.

    python -m mockbot.observability.alert_rules [--objective 99.9%] [--speed 1] > rules.yaml

The windows and rates are `mockbot.measures.objective`'s. They are scenario time, and Prometheus has the wall's clock:
for a run at speed 20 the file has to be made with `--speed 20`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction

from mockbot.evidence.prompt_result import PROMPTS
from mockbot.measures.objective import DAYS_3, PAGES, Alert

LEAST = 1  # wall seconds of a window, and between two evaluations
MOST_OFTEN = 15  # wall seconds between two evaluations, at most four in the shortest window
_HEAD = """\
# Made by: python -m mockbot.observability.alert_rules --objective {objective} --speed {speed}
# Burn-rate alerts on the prompts of mockbot's crowd, with the windows of its report (The Site Reliability Workbook,
# ch. 5): a prompt is bad when it was not answered within the scenario's slo; what the run's end cut off is left out.
# To see whether your own alert would have fired, put it beside them.
groups:
  - name: mockbot-burn-rate
    interval: {every}s
    rules:
"""


def window(seconds: float, speed: float) -> str:
    """A duration as Prometheus writes it, on the wall."""
    wall = max(LEAST, round(seconds / speed))
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if wall % size == 0:
            return f"{wall // size}{unit}"
    return f"{wall}s"


def recorded(seconds: float) -> str:
    """The name of the series with the bad share of a window, which is scenario time."""
    return f"mockbot:prompts_bad:ratio_rate{window(seconds, 1.0)}"


def rules(objective: str, speed: float) -> str:
    """The rules file. `objective`: like 99.9%."""
    alerts = (*PAGES, DAYS_3)
    budget = float(1 - Fraction(objective.removesuffix("%")) / 100)
    lengths = sorted({seconds for alert in alerts for seconds in (alert.short, alert.long)})
    lines = [line for seconds in lengths for line in _recording(seconds, speed)]
    lines += [line for alert in alerts for line in _alert(alert, budget, objective)]
    every = max(LEAST, min(MOST_OFTEN, int(lengths[0] / speed / 4)))
    return _HEAD.format(objective=objective, speed=f"{speed:g}", every=every) + "\n".join(lines) + "\n"


def _recording(seconds: float, speed: float) -> Iterator[str]:
    bad, known = 'result=~"late|gave_up"', 'result!="unfinished"'
    over = f"[{window(seconds, speed)}]"
    yield f"      - record: {recorded(seconds)}"
    yield "        expr: >-"
    yield f"          sum(rate({PROMPTS}_total{{{bad}}}{over})) / sum(rate({PROMPTS}_total{{{known}}}{over}))"


def _alert(alert: Alert, budget: float, objective: str) -> Iterator[str]:
    pages = alert in PAGES
    limit = f"{alert.rate:g} * {budget:.10g}"
    long, short = (recorded(seconds) for seconds in (alert.long, alert.short))
    yield f"      - alert: Mockbot{'Page' if pages else 'Ticket'}{window(alert.long, 1.0)}"
    yield f"        expr: {long} >= {limit} and {short} >= {limit}"
    yield f"        labels: {{severity: {'page' if pages else 'ticket'}}}"
    yield "        annotations:"
    yield f"          summary: The error budget of {objective} burns {alert.rate:g} times too fast"
    yield '          description: "{{ $value | humanizePercentage }} of the prompts are bad"'


def _objective(text: str) -> str:
    try:
        possible = 0 < Fraction(text.removesuffix("%")) < 100
    except (ValueError, ZeroDivisionError):
        possible = False
    if not possible:
        raise argparse.ArgumentTypeError(f"{text} is no share below 100%; write it like 99.9%")
    return text


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no speed; write a number above 0, like 20")
    return speed


def main(arguments: Sequence[str]) -> None:
    """Write the file to stdout."""
    parser = argparse.ArgumentParser("python -m mockbot.observability.alert_rules", description=__doc__)
    parser.add_argument("--objective", type=_objective, default="99.9%", help="promised share of good prompts")
    parser.add_argument("--speed", type=_speed, default=1.0, help="of the run: scenario seconds per second")
    given = parser.parse_args(arguments)
    sys.stdout.write(rules(given.objective, given.speed))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Numbers in, text for people out. The one module that formats durations, moments, shares, rates and counts, for every
output: terminal, page, JUnit, live view, web UI, comparison. Pure.

Two clocks, each written one way: a moment of the scenario is 5:00 and a time of it 4m05s; wall time is "12.3 s", and
nothing else has a blank before its s. Round first, then split into hours, minutes and seconds: 59.97 s is 1:00, never
0:60. The exact texts of a file (`duration_text` and so on, read back without loss) are in `quantities`.
"""

import math
from typing import Literal


def format_duration(seconds: float) -> str:
    """Three digits: 312ms, 4.27s, 12.3s, 4m05s, 1h02m."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f}ms" if seconds else "0s"
    if seconds < 59.95:
        return f"{seconds:.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def spell_duration(seconds: float) -> str:
    """As a sentence says it: "35 minutes", "1 hour and 5 minutes", "40 seconds", "2.5 seconds"."""
    if seconds < 100:
        number = f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"
        return f"{number} second{'' if number == '1' else 's'}"
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = ((hours, "hour"), (minutes, "minute"))
    return " and ".join(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in parts if count)


def format_wall(seconds: float) -> str:
    """Seconds of the wall clock, and of nothing else, to three digits: "12.3 s", "80 s", "0.005 s", "1,800 s"."""
    return f"{seconds:,.0f} s" if seconds >= 99.95 else f"{seconds:.3g} s"


def format_clock(t: float, decimals: Literal[0, 1] = 0) -> str:
    """A moment of the scenario's clock: 2:05:00, or 5:00 without an hour; with a tenth 5:00.4. 0:00 before it."""
    minutes, rest = divmod(round(max(0.0, t) * 10**decimals), 60 * 10**decimals)
    seconds = f"{rest // 10**decimals:02}" + (f".{rest % 10}" if decimals else "")
    return f"{minutes // 60}:{minutes % 60:02}:{seconds}" if minutes >= 60 else f"{minutes}:{seconds}"


def format_share(share: float, *, up: bool = False) -> str:
    """Two decimals at most, rounded down (or up, where less is better): 0.99996 is not 100%."""
    hundredths = round(share * 1e4, 6)
    whole = math.ceil(hundredths) if up else math.floor(hundredths)
    return f"{whole / 100:.4g}%" if whole < 10000 else "100%"


def format_percent(share: float, decimals: int = 0) -> str:
    """Rounded to the nearest, as a sentence says it: "42 %", "1.5 %"."""
    return f"{100 * share:.{decimals}f} %"


def format_points(share: float) -> str:
    """A difference of two shares in percentage points, with its sign: +1.2."""
    return f"{100 * share + 0.0:+.1f}"  # + 0.0 makes -0.0 positive


def format_rate(rate: float) -> str:
    """Events per second: 3.2/s, 0.004/s, 1,234/s."""
    if rate >= 999.5:  # three digits would become 1.23e+03
        return f"{rate:,.0f}/s"
    return f"{rate:.3g}/s" if rate >= 0.01 or not rate else f"{rate:.1g}/s"


def format_count(count: float) -> str:
    """A whole number with separators: 12,345."""
    return f"{count:,.0f}"


def format_counted(count: int, what: str) -> str:
    """A number of things: 1 prompt, 12,345 prompts."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def format_number(number: float, decimals: int = 2) -> str:
    """A number without a unit, for instance attempts per prompt: 3.00."""
    return f"{number:.{decimals}f}"

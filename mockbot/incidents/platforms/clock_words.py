"""Times as people write them: month, day and clock with a zone's abbreviation in, Unix seconds out. Pure.

An abbreviation is a time only with its date: PST in July does not exist. CST is refused, because pages write it for
China as well as for Chicago (next_anchors.md §3.5).
"""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ALWAYS = {"UTC": 0.0, "GMT": 0.0, "IST": 5.5, "JST": 9.0}  # hours
_SEASONAL = {  # abbreviation -> its offset in hours, and a place that has it in one half of the year
    "PST": (-8, "America/Los_Angeles"),
    "PDT": (-7, "America/Los_Angeles"),
    "EST": (-5, "America/New_York"),
    "EDT": (-4, "America/New_York"),
    "CDT": (-5, "America/Chicago"),
    "CET": (1, "Europe/Berlin"),
    "CEST": (2, "Europe/Berlin"),
    "BST": (1, "Europe/London"),
}


def moment(year: int, month: str, day: str, hour: str, minute: str, zone: str) -> float:
    """Unix seconds. Raises ValueError that says what is wrong with the time or its zone."""
    if month not in MONTHS:
        raise ValueError(f"{month!r} is not a month")
    hours = _offset(zone)
    local = datetime(
        year, MONTHS.index(month) + 1, int(day), int(hour), int(minute), tzinfo=timezone(timedelta(hours=hours))
    )
    if zone in _SEASONAL and local.astimezone(ZoneInfo(_SEASONAL[zone][1])).utcoffset() != timedelta(hours=hours):
        raise ValueError(f"{zone} does not exist on {local:%Y-%m-%d}; give the times with their offset")
    return local.timestamp()


def year_before(month: str, day: str, newest: float) -> int:
    """The year of a date that has none, and that is not later than a day after Unix time `newest`."""
    last = datetime.fromtimestamp(newest, UTC) + timedelta(days=1)
    return last.year if (MONTHS.index(month) + 1, int(day)) <= (last.month, last.day) else last.year - 1


def _offset(zone: str) -> float:
    if zone in _ALWAYS:
        return _ALWAYS[zone]
    if zone in _SEASONAL:
        return _SEASONAL[zone][0]
    known = ", ".join([*_ALWAYS, *_SEASONAL])
    raise ValueError(
        f"{zone!r} may mean more than one time zone; known are {known}; else give the times with their offset"
    )

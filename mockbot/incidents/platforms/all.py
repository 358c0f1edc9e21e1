"""Every platform, the most particular first: the first that recognises a document reads it."""

from mockbot.errors import UsageError
from mockbot.incidents.foreign_document import Document
from mockbot.incidents.incident import Incident
from mockbot.incidents.platforms.aws import AWS
from mockbot.incidents.platforms.feeds import FEEDS
from mockbot.incidents.platforms.google_cloud import GOOGLE_CLOUD
from mockbot.incidents.platforms.incident_io import INCIDENT_IO
from mockbot.incidents.platforms.neutral import NEUTRAL, WINDOWS
from mockbot.incidents.platforms.platform import Platform
from mockbot.incidents.platforms.statuspage import STATUSPAGE
from mockbot.incidents.platforms.statuspage_history import STATUSPAGE_HISTORY
from mockbot.incidents.platforms.timelines import DATADOG, FLASHDUTY

PLATFORMS: tuple[Platform, ...] = (
    NEUTRAL, STATUSPAGE_HISTORY, FLASHDUTY, INCIDENT_IO, GOOGLE_CLOUD, AWS, DATADOG, STATUSPAGE, FEEDS, WINDOWS,
)  # fmt: skip
SERIES = "a series of error shares (CSV: time, error share; Prometheus query_range JSON)"


def read_incidents(document: Document) -> tuple[str, list[Incident]]:
    """The platform's name and its incidents, the newest first; each id once. UsageError when none recognises it."""
    for platform in PLATFORMS:
        if platform.recognises(document):
            once = {incident.id: incident for incident in reversed(list(platform.incidents(document)))}
            return platform.name, sorted(once.values(), key=lambda each: each.begins or 0.0, reverse=True)
    known = "\n".join(f"  {name}" for name in (*(each.name for each in PLATFORMS), SERIES))
    raise UsageError(f"the file is of no platform that mockbot knows; it reads\n{known}")

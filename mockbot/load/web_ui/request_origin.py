"""Whether a request to the web UI comes from a page of another site, which could start load or stop a run. Pure.

A browser tells by headers that no page can set: Sec-Fetch-Site (over TLS and on loopback), else Origin. A name that
somebody else has pointed at 127.0.0.1 (DNS rebinding) counts as the same site, so on loopback the Host must be one too.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

OWN_SITES = ("same-origin", "none")  # none: typed by the user


def is_loopback(host: str | None) -> bool:
    """Whether a host, as in a URL, is this machine by definition."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_foreign(headers: Mapping[str, str], web_host: str, *, page: bool) -> bool:
    """`web_host`: where the UI listens, empty for everywhere. `page`: a request for a page, to which any may link."""
    host = headers.get("Host", "")
    if is_loopback(web_host) and not is_loopback(urlsplit(f"//{host}").hostname):
        return True
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if page and headers.get("Sec-Fetch-Mode") == "navigate":
        return False
    return site not in OWN_SITES if site is not None else origin is not None and urlsplit(origin).netloc != host

"""The HTML that stands in front of a provider that is not there: (status, host, ray) in, a page of Cloudflare's kind
out.

Shapes from captures (incidents_and_clients.md §4.1): `<title>api.openai.com | 502: Bad gateway</title>` with a Ray ID
for the origin errors, the six-line nginx-like page for what the edge itself answers.
"""

from html import escape

_ORIGIN_ERRORS = {
    502: "Bad gateway",
    504: "Gateway time-out",
    520: "Web server is returning an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
    530: "The origin has been unregistered from Argo Tunnel",
}
_PLAIN = {
    403: "Forbidden",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Temporarily Unavailable",
}

_FULL_PAGE = """<!DOCTYPE html>
<html class="no-js" lang="en-US">
<head>
<title>{host} | {status}: {words}</title>
<meta charset="UTF-8" />
<meta name="robots" content="noindex, nofollow" />
</head>
<body>
<div id="cf-wrapper"><div id="cf-error-details" class="p-0">
<h1><span class="inline-block">{words}</span> <span class="code-label">Error code {status}</span></h1>
<p>Visit <a href="https://www.cloudflare.com/5xx-error-landing">cloudflare.com</a> for more information.</p>
<p class="text-13"><span class="cf-footer-item">Cloudflare Ray ID: <strong>{ray}</strong></span></p>
</div></div>
</body>
</html>
"""
_SMALL_PAGE = """<html>\r
<head><title>{status} {words}</title></head>\r
<body>\r
<center><h1>{status} {words}</h1></center>\r
<hr><center>cloudflare</center>\r
</body>\r
</html>\r
"""


def page(status: int, host: str, ray: int) -> bytes:
    """The page's bytes, UTF-8."""
    if status in _ORIGIN_ERRORS:
        return _FULL_PAGE.format(
            status=status, words=_ORIGIN_ERRORS[status], host=escape(host), ray=f"{ray:016x}"
        ).encode()
    return _SMALL_PAGE.format(status=status, words=_PLAIN.get(status, "Error")).encode()


def headers(ray: int) -> list[tuple[bytes, bytes]]:
    """The edge's own headers."""
    return [(b"server", b"cloudflare"), (b"cf-ray", b"%016x-AMS" % ray), (b"cf-cache-status", b"DYNAMIC")]

"""Control ports are for programs only: a request in, the answer to one that has to be refused out.

Browsers are refused, as Toxiproxy does it (a Mozilla user agent, or any Origin), so that no web page can change a run;
and on an address that other machines reach, every request without the token.
"""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def refused(request: Request, token: str | None) -> Response | None:
    """The answer to a browser, or to a request without the token; None for any other request."""
    if request.headers.get("user-agent", "").startswith("Mozilla/") or "origin" in request.headers:
        return JSONResponse({"error": "not for browsers"}, 403)
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
        return JSONResponse({"error": "wrong or missing token"}, 401)
    return None

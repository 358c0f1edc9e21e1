"""One request to a control port, on a connection of its own: blocking, with time limits, past every HTTP proxy.

Only `http.client`: what test suites put mocks into (requests, httpx, urllib3) serves the client under test, and the
control of the testbed must not go through it. Works under gevent.
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """An answer of any status. `headers`: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.text)


def ask(
    url: str, method: str, path: str, body: object = ..., *, token: str | None = None,
    limits: tuple[float, float] = (5.0, 5.0), authority: str = "",
) -> ControlAnswer:  # fmt: skip
    """The answer to one request; `body`, when given, is sent as JSON.

    `limits`: wall seconds to connect, and between two bytes of the answer. `authority`: PEM of what an https URL's
    certificate is checked with, if not by the system. Raises TimeoutError when the answer comes too late,
    ConnectionError when there is none.
    """
    where = urlsplit(url)
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    content = None if body is ... else json.dumps(body).encode()
    if content is not None:
        headers["content-type"] = "application/json"
    connection = HTTPConnection(where.hostname or "", where.port, timeout=limits[0])
    if where.scheme == "https":
        trusts = ssl.create_default_context(cadata=authority or None)
        connection = HTTPSConnection(where.hostname or "", where.port, timeout=limits[0], context=trusts)
    try:
        try:
            connection.connect()
        except OSError as error:  # in time or not
            raise ConnectionError(str(error)) from None
        connection.sock.settimeout(limits[1])
        connection.request(method, where.path.rstrip("/") + path, content, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return ControlAnswer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
    except TimeoutError:
        raise
    except (OSError, HTTPException) as error:
        raise ConnectionError(str(error) or repr(error)) from None
    finally:
        connection.close()

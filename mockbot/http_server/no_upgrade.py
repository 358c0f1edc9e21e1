"""uvicorn's HTTP/1.1 protocol, except that it answers a request with `Upgrade` as if it had none (RFC 9110, 7.8).

Java's java.net.http.HttpClient and `curl --http2` send `Upgrade: h2c` with their first request. httptools stops after
the head of such a request, since what follows could be another protocol. It never is here: the head is read a second
time, without that header, and the body after it.
"""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class NoUpgradeProtocol(HttpToolsProtocol):
    """Give it to `uvicorn.Config(http=...)`."""

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stopped:
                head, data = self._head(), data[stopped.args[0] :]
                if self.parser.get_method() != b"CONNECT":  # which stops the parser too, for a tunnel
                    data = head + data
                    continue
            except httptools.HttpParserError:
                pass
            self.send_400_response("Invalid HTTP request received.")
            return

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _head(self) -> bytes:
        """The request's head without `Upgrade`."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

"""One address before several processes: each connection that is accepted is handed to one of them, as an open socket.

So the bytes of a connection pass through no further process, and whoever asks sees one port. `next_turn` decides which
process gets the next one. While the address is down it refuses connections; its port stays reserved.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from mockbot.http_server.listener import base_url, bound, held

_BACKLOG = 2048
_PAUSE = 0.02  # wall seconds without accepting: no descriptor is left, or a process does not take what it was handed


class Balancer:
    """The address. `channels`: a Unix stream socket to each process; this object closes neither.

    `failed` is told what the operating system refuses.
    """

    def __init__(self, host: str, port: int, next_turn: Callable[[], int], failed: Callable[[OSError], None]) -> None:
        self._host, self._holder, self._next_turn, self._failed = host, held(host, port), next_turn, failed
        self.port: int = self._holder.getsockname()[1]
        self.channels: Sequence[socket.socket] = ()
        self._listening: socket.socket | None = None
        self._held: tuple[socket.socket, int] | None = None  # accepted, and not yet handed over

    @property
    def url(self) -> str:
        """Base URL."""
        return base_url(self._host, self.port)

    def up(self) -> None:
        """Accept connections."""
        if self._listening is None:
            self._listening = bound(self._host, self.port)
            self._listening.setblocking(False)
            self._listening.listen(_BACKLOG)
            asyncio.get_running_loop().add_reader(self._listening.fileno(), self._accept)

    def down(self) -> None:
        """Refuse connections; those that were handed over are the processes' own, and one that waits for that ends."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None
        if self._held is not None:
            self._held[0].close()
            self._held = None

    def close(self) -> None:
        """Go down for good, and release the port."""
        self.down()
        self._holder.close()

    def _accept(self) -> None:
        while self._listening is not None:
            try:
                if self._held is None:
                    self._held = self._listening.accept()[0], self._next_turn()
                client, turn = self._held
                socket.send_fds(self.channels[turn], [b"."], [client.fileno()])
            except ConnectionAbortedError:
                continue
            except BlockingIOError:
                if self._held is None:
                    return
                self._pause(self._listening)
                return
            except OSError as error:
                if error.errno == errno.ETOOMANYREFS:  # as many as Linux allows are on their way (unix(7))
                    self._pause(self._listening)
                    return
                self._failed(error)
                if self._held is None:  # no descriptor is left
                    self._pause(self._listening)
                    return
            self._held = None
            client.close()  # the process has a descriptor of its own; where it has ended, this ends the connection

    def _pause(self, listening: socket.socket) -> None:
        def resume() -> None:
            if listening is self._listening:
                loop.add_reader(listening.fileno(), self._accept)
                self._accept()

        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())
        loop.call_later(_PAUSE, resume)

"""The TLS server of a provider whose service speaks plain HTTP: connections of the fault-injecting proxy in, the same
bytes without TLS out.

    client  --TLS-->  fault-injecting proxy  --TLS-->  Terminator  --plain-->  service

So faults of the wire meet the client's own TLS. The service is dialled before the handshake: one that refuses
connections is felt as a cut connection, as it is without TLS, and each connection has one at the service. Only
HTTP/1.1 is offered (ALPN), to which a client that also speaks HTTP/2 falls back.
"""

import asyncio
import socket
import ssl

from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.handshake_faults import HANDSHAKE_FAILURE, Handshakes
from mockbot.interception.relay import End, join, reset, reset_when_closed

HANDSHAKE_WITHIN = 60.0  # wall seconds, as long as the service waits for the head of a request
CLOSE_WITHIN = 1.0  # wall seconds for the client's close_notify, after which the FIN is sent without it
BACKLOG = 2048
# Alerts of a client that does not trust the run's CA, because it brings its own list or pins (RFC 8446, 6.2).
_DISTRUST = ("UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "BAD_CERTIFICATE")


class Terminator:
    """Of one provider, on a free loopback port, from its creation on. `service`: host and port.

    `handshakes`: what is wrong with those to come. `ports`: of each connection the port of the proxy's side, and the
    one that the service sees. `distrusted`: handshakes that a client has ended because it does not trust the CA.
    """

    def __init__(self, authority: CertificateAuthority, service: tuple[str, int], seed: str = "") -> None:
        self.handshakes = Handshakes(seed)
        self.ports: list[tuple[int, int]] = []
        self.distrusted = 0
        self._authority, self._service = authority, service
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._ends, self._tasks = set[End](), set[asyncio.Task[None]]()

    def lead_to(self, service: tuple[str, int]) -> None:
        """Connections go to this service from now on; those to another one are reset."""
        if service != self._service:
            self._service = service
            for end in tuple(self._ends):
                reset(end.transport)

    async def serve(self) -> None:
        """Accept connections until cancelled, which resets all of them."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    client, (_, port, *_) = await loop.sock_accept(self._listener)
                except OSError:  # no descriptor is free, which the process notices by itself (self_watch)
                    await asyncio.sleep(0.1)
                    continue
                task = loop.create_task(self._connect(client, port))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            self._listener.close()
            for task in self._tasks:
                task.cancel()
            for end in tuple(self._ends):
                reset(end.transport)

    async def _connect(self, client: socket.socket, port: int) -> None:
        """Dial the service, shake hands with the client, and let the bytes flow."""
        loop = asyncio.get_running_loop()
        near, far, fault = End(self._ends), End(self._ends), self.handshakes.next()
        how = None if fault is None else fault.how
        try:
            if fault is not None and how == "slow":
                await asyncio.sleep(fault.delay)
            if how == "refused":
                await _refuse(client)
                client.close()
                return
            server, _ = await loop.create_connection(lambda: far, *self._service)
        except OSError:
            reset_when_closed(client)
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        self.ports.append((port, server.get_extra_info("sockname")[1]))
        # uvloop does it for sockets that it accepts itself; else Nagle holds back what follows a session ticket, 40 ms.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            context = self._authority.server_context(expired=how == "expired", wrong_host=how == "wrong_host")
            await loop.connect_accepted_socket(
                lambda: near, client, ssl=context,
                ssl_handshake_timeout=HANDSHAKE_WITHIN, ssl_shutdown_timeout=CLOSE_WITHIN,
            )  # fmt: skip
            join(near, far)
        except ssl.SSLError as error:
            self.distrusted += fault is None and any(alert in (error.reason or "") for alert in _DISTRUST)
        except OSError:  # the client's side has gone, or took too long
            pass
        finally:
            if near.peer is None:
                server.abort()


async def _refuse(client: socket.socket) -> None:
    """Answer ClientHello with an alert, once all of it is read: what is not would turn the FIN into a RST."""
    loop, hello = asyncio.get_running_loop(), b""
    async with asyncio.timeout(HANDSHAKE_WITHIN):
        while len(hello) < 5 or len(hello) < 5 + int.from_bytes(hello[3:5]):
            if not (part := await loop.sock_recv(client, 4096)):
                return
            hello += part
        await loop.sock_sendall(client, HANDSHAKE_FAILURE)

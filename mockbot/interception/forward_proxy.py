"""The HTTPS forward proxy that an intercepted client is told to use: CONNECT requests in, tunnels out.

    CONNECT api.openai.com:443   an intercepted host: to the provider's fault-injecting proxy
    CONNECT example.org:443      any other host: to itself, untouched, through the user's own HTTPS_PROXY where set
    CONNECT 127.0.0.1:5432       this machine, where a client must not get by way of a proxy: 403
    any of these                 by another user of this machine, who must not get anywhere by way of this one: 403

An intercepted host is answered with 200 before it is dialled, and a port that is closed is felt as a reset after that:
an error status of a proxy is another failure, which no real outage of a provider causes.
"""

import asyncio
import base64
import socket
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

from mockbot.interception.peer_users import PeerUsers
from mockbot.interception.relay import End, join, reset

HEAD_WITHIN = 10.0  # wall seconds for a whole CONNECT
MOST_HEAD = 16 * 1024  # bytes
DIAL_WITHIN = 30.0  # wall seconds
MOST_PASSED = 100  # different names that are counted
BACKLOG = 2048
_END = b"\r\n\r\n"
_OPEN = b"HTTP/1.1 200 Connection established" + _END


class _RefusedError(Exception):
    """A status line's number and words, and a sentence."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class ForwardProxy:
    """Listens on a free loopback port from `start` on. `hosts`: pattern -> provider; the first that fits decides.

    `addresses`: where a provider is reached, host and port; may change. `connects`: tunnels to intercepted hosts,
    `passed`: to others, both by host. `upstream`: the user's own proxy, http://[USER:PASSWORD@]HOST:PORT; `bypass`: the
    user's own NO_PROXY, which holds for that one. `users`: who may use it; None: anyone. `strangers`: CONNECTs that
    others were refused.
    """

    def __init__(
        self, hosts: Mapping[str, str], upstream: SplitResult | None = None, bypass: str = "",
        head_within: float = HEAD_WITHIN, users: PeerUsers | None = None,
    ) -> None:  # fmt: skip
        self.hosts, self.head_within = hosts, head_within
        self.addresses: dict[str, tuple[str, int]] = {}
        self.connects, self.passed = Counter[str](), Counter[str]()
        self.strangers = 0
        self._users = users
        self._upstream, self._bypass = upstream, {"no": bypass}
        self._ends, self._tasks = set[End](), set[asyncio.Task[None]]()
        self._servers: list[asyncio.Server] = []

    async def start(self, listener: socket.socket | None = None) -> int:
        """Accept connections; the port. `listener`: on this socket, too, which only a sealed command can reach."""
        users = self._users if listener is None else None
        sock = listener or socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(lambda: _Client(self, self._ends, users), sock=sock))
        return int(sock.getsockname()[1])

    @property
    def open_connections(self) -> int:
        """Of clients and to servers, that have not ended."""
        return len(self._ends)

    async def close(self) -> None:
        """Reset every tunnel, and listen no more."""
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        for end in tuple(self._ends):
            reset(end.transport)
        await asyncio.sleep(0.01)  # sockets are closed in the loop's next rounds

    def open(self, client: "_Client", head: bytes, rest: bytes) -> None:
        """Carry out a request, given its head; `rest` is what came behind it."""
        task = asyncio.get_running_loop().create_task(self._open(client, head, rest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, client: "_Client", head: bytes, rest: bytes) -> None:
        server = End(self._ends)
        try:
            self._refuse_stranger(client)
            host, port = _target(head)
            provider = next((self.hosts[each] for each in self.hosts if fnmatchcase(host, each)), None)
            async with asyncio.timeout(DIAL_WITHIN):
                if provider is not None:
                    self.connects[host] += 1
                    client.transport.write(_OPEN)
                    await self._dial(server, self.addresses[provider])
                else:
                    self._count_passed(host)
                    await self._pass(client, server, host, port, head)
        except _RefusedError as refusal:
            client.refuse(refusal.status, str(refusal))
        except (OSError, TimeoutError) as error:
            if provider is None:
                client.refuse("502 Bad Gateway", f"{host} cannot be reached: {error or 'it does not answer'}")
            else:
                reset(client.transport)
        else:
            server.transport.write(rest)
            join(client, server)

    async def _pass(self, client: "_Client", server: End, host: str, port: int, head: bytes) -> None:
        """Connect to a host that is not intercepted."""
        self._refuse_own(host, port)
        if self._upstream is not None and not proxy_bypass_environment(host, self._bypass):
            await self._dial(server, (self._upstream.hostname or "", self._upstream.port or 80))
            server.transport.write(head + _authorization(self._upstream) + _END)  # the client gets that proxy's answer
            return
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for *_, address in found:
            self._refuse_own(str(address[0]), port)
        await self._dial(server, *((str(address[0]), port) for *_, address in found))
        client.transport.write(_OPEN)

    async def _dial(self, server: End, *addresses: tuple[str, int]) -> None:
        """Connect to the first that accepts; OSError of the last one."""
        for index, (host, port) in enumerate(addresses, 1):
            try:
                await asyncio.get_running_loop().create_connection(lambda: server, host, port)
            except OSError:
                if index == len(addresses):
                    raise
            else:
                return

    def _refuse_stranger(self, client: "_Client") -> None:
        if client.stranger:
            self.strangers += 1
            raise _RefusedError("403 Forbidden", "this proxy is for programs of the user who has started it")

    def _refuse_own(self, host: str, port: int) -> None:
        """Refuse this machine's own ports, which a client must not reach by way of a proxy; except the providers'."""
        if _is_this_machine(host) and port not in {own for _, own in self.addresses.values()}:
            why = f"{host}:{port} is on this machine: ask it without the proxy (NO_PROXY=localhost,127.0.0.1)"
            raise _RefusedError("403 Forbidden", why)

    def _count_passed(self, host: str) -> None:
        if host in self.passed or len(self.passed) < MOST_PASSED:
            self.passed[host] += 1


class _Client(End):
    """A client's connection: first the head of one request, then a side of a tunnel."""

    def __init__(self, proxy: ForwardProxy, living: set[End], users: PeerUsers | None) -> None:
        super().__init__(living)
        self._proxy, self._head, self._users = proxy, b"", users
        self.stranger = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._users is not None:  # now: later the client may have closed its end, which is nobody's then
            self.stranger = not self._users.allow(*map(transport.get_extra_info, ("peername", "sockname")))
        self._deadline = asyncio.get_running_loop().call_later(self._proxy.head_within, self.transport.abort)
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            super().data_received(data)
            return
        self._head += data
        head, end, rest = self._head.partition(_END)
        if not end and len(self._head) <= MOST_HEAD:
            return
        self._disarm()
        if not end:
            self.refuse("431 Request Header Fields Too Large", "the head of a CONNECT is short")
            return
        self.transport.pause_reading()
        self._proxy.open(self, head, rest)

    def connection_lost(self, error: Exception | None) -> None:
        self._disarm()
        super().connection_lost(error)

    def refuse(self, status: str, sentence: str) -> None:
        """Answer with a sentence, and close."""
        body = f"mockbot: {sentence}\n".encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {len(body)}"
        self.transport.write(head.encode() + _END + body)
        self.transport.close()

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _target(head: bytes) -> tuple[str, int]:
    """Host, in lower case and without brackets, and port of a CONNECT's head."""
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    host, _, port = rest.partition(" ")[0].rpartition(":")
    if method != "CONNECT":
        raise _RefusedError("405 Method Not Allowed", "this is a proxy for https URLs: HTTPS_PROXY, not HTTP_PROXY")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise _RefusedError("400 Bad Request", "a CONNECT names HOST:PORT")
    return host.strip("[]").rstrip(".").lower(), int(port)


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # a name
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _authorization(proxy: SplitResult) -> bytes:
    """A header's line, behind a line's end; nothing where the proxy's URL has no user."""
    if proxy.username is None:
        return b""
    given = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return b"\r\nProxy-Authorization: Basic " + base64.b64encode(given.encode())

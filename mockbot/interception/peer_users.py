"""Whose a loopback connection is: its two ends in, yes or no out, by the kernel's word (sock_diag(7), Linux).

A password in the proxy's URL would do the same on every system, but Java sends none through a tunnel.
"""

import os
import socket
import struct
import sys
from typing import Self

ROOT = 0  # may read our memory anyway, and is who runs containers
ANSWER_WITHIN = 1.0  # wall seconds; the kernel answers within the call
_INET_DIAG = 4  # NETLINK_INET_DIAG (linux/netlink.h)
_BY_FAMILY, _REQUEST = 20, 1  # SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_WANTED = struct.Struct("=BBBBI")  # of struct inet_diag_req_v2: family, protocol, no extensions, padding, all states
_PORTS = struct.Struct("!HH")  # of struct inet_diag_sockid, in network order; two addresses of 16 bytes follow
_REST = struct.Struct("=III")  # any interface, any cookie
_OWNER = struct.Struct("=II")  # of struct inet_diag_msg: user and inode
_OWNER_AT = _HEADER.size + 64
Address = tuple[str, int]


class PeerUsers:
    """`allowed`: user ids. One that is closed, or that the kernel does not know, is nobody's and so not allowed."""

    def __init__(self, allowed: frozenset[int]) -> None:
        self._allowed = allowed
        self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _INET_DIAG)
        self._kernel.settimeout(ANSWER_WITHIN)

    @classmethod
    def of_this_one(cls) -> Self | None:
        """This process's own user, and root. None where the kernel does not tell, as elsewhere than on Linux."""
        if sys.platform != "linux":
            return None
        try:
            users = cls(frozenset({os.geteuid(), ROOT}))
        except OSError:
            return None
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            if users.allow(client.getsockname(), server.getsockname()):
                return users
        users.close()
        return None

    def allow(self, client: Address, server: Address) -> bool:
        """Whether the socket at `client`, connected to `server`, belongs to an allowed user; both IPv4."""
        ends = _PORTS.pack(client[1], server[1]) + b"".join(
            socket.inet_aton(host).ljust(16, b"\0") for host, _ in (client, server)
        )
        unknown = 0xFFFFFFFF
        wanted = _WANTED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, unknown) + ends
        wanted += _REST.pack(0, unknown, unknown)
        try:
            self._kernel.send(_HEADER.pack(_HEADER.size + len(wanted), _BY_FAMILY, _REQUEST, 0, 0) + wanted)
            answer = self._kernel.recv(4096)
        except OSError:
            return False
        if _HEADER.unpack_from(answer)[1] != _BY_FAMILY:  # an error: there is no such socket
            return False
        user, inode = _OWNER.unpack_from(answer, _OWNER_AT)
        return inode != 0 and user in self._allowed  # of one that its program has closed the kernel says 0 and 0

    def close(self) -> None:
        """Ask no more."""
        self._kernel.close()

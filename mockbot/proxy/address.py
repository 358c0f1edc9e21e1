"""Addresses as Toxiproxy reads them: the text of `listen` and `upstream` in, host and port or an AddressError out.

The rules and messages are those of Go's net package (SplitHostPort, LookupPort, Listen, Dial), which Toxiproxy passes
on to its clients. A wildcard of either family is one dual-stack listener, `[::]:port` (favoriteAddrFamily); as an
upstream it is this machine.
"""

import asyncio
import ipaddress
import os
import re
import socket
from dataclasses import dataclass

BACKLOG = 4096  # Go takes the system's maximum
WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104  recognised, not bound
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAME = re.compile(rf"(?=.*[A-Za-z_-]){LABEL}(?:\.{LABEL})*\.?")  # Go's isDomainName
NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)(?:\.(?:0[xX][0-9a-fA-F]*|\d+))*")  # an address to libc, not to Go


class AddressError(Exception):
    """An address that cannot be used; the text is Go's."""


@dataclass(frozen=True, slots=True)
class Address:
    """A resolved listen address; `host` is numeric, or "" for every interface."""

    host: str
    port: int

    def __str__(self) -> str:
        return join("::" if self.host in WILDCARDS else self.host, self.port)


def join(host: str, port: int) -> str:
    """Go's JoinHostPort."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split(text: str) -> tuple[str, str]:
    """Go's SplitHostPort: ("host", "port"), the brackets of IPv6 taken off."""

    def refuse(why: str) -> AddressError:
        return AddressError(f"address {text}: {why}")

    host, colon, port = text.rpartition(":")
    if not colon:
        raise refuse("missing port in address")
    if text.startswith("["):
        end = text.find("]")
        if end < 0:
            raise refuse("missing ']' in address")
        if end + 1 != len(host):
            raise refuse("missing port in address" if end + 1 == len(text) else "too many colons in address")
        host = text[1:end]
    elif ":" in host:
        raise refuse("too many colons in address")
    for bracket in "[]":
        if bracket in host + port:
            raise refuse(f"unexpected '{bracket}' in address")
    return host, port


def port_number(text: str) -> int:
    """A decimal port or a service's name; "" is 0."""
    if re.fullmatch(r"[+-]?[0-9]*", text) and text not in {"+", "-"}:
        port = int(text[:7] or "0")
        if not 0 <= port <= 65535:
            raise AddressError(f"address {text}: invalid port")
        return port
    try:
        return socket.getservbyname(text.lower(), "tcp")
    except (OSError, ValueError):
        raise AddressError(f"lookup tcp/{text}: unknown port") from None


def host_of(text: str) -> tuple[str, bool]:
    """The host as sockets take it, and whether it is numeric; AddressError for what is neither address nor name."""
    if not text:
        return "", True
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        if NAME.fullmatch(text) is None or NUMBER.fullmatch(text):
            raise AddressError(f"lookup {text}: no such host") from None
        return text, False
    if not ip.is_link_local:  # elsewhere a zone means nothing, and libc refuses it
        ip = ipaddress.ip_address(text.partition("%")[0])
    return str(getattr(ip, "ipv4_mapped", None) or ip), True


def dialled(text: str) -> tuple[tuple[str, ...], int]:
    """The hosts to try in turn, and the port; no host and a wildcard are this machine (net.Dial, golang/go#18806)."""
    host, port = split(text)
    host, _ = host_of(host)
    hosts = {"": ("127.0.0.1",), "0.0.0.0": ("127.0.0.1",), "::": ("::1", "127.0.0.1")}  # noqa: S104
    return hosts.get(host, (host,)), port_number(port)


async def resolve(text: str) -> Address:
    """The numeric address to listen on; "" is a random port on every interface. IPv4 is preferred, as in Go."""
    host, port = split(text) if text else ("", "")
    number = port_number(port)
    host, numeric = host_of(host)
    if host in WILDCARDS:
        return Address("", number)
    if numeric:
        return Address(host, number)
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, number, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        raise AddressError(f"lookup {host}: no such host") from None
    infos.sort(key=lambda info: info[0] != socket.AF_INET)
    return Address(str(infos[0][4][0]), number)


def canonical(text: str) -> str:
    """The text with every spelling of a wildcard made `[::]`; text that is no address stays as it is."""
    try:
        host, port = split(text) if text else ("", "0")
        host, _ = host_of(host)
    except AddressError:
        return text
    return f"[::]:{port}" if host in WILDCARDS else text


def listen(address: Address) -> socket.socket:
    """A bound, listening, non-blocking socket."""
    wildcard = address.host in WILDCARDS
    dual = wildcard and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual or ":" in address.host else socket.AF_INET
    host = ("::" if dual else "0.0.0.0") if wildcard else address.host  # noqa: S104  asked for by the user
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if wildcard else 1)
        sock.bind((host, address.port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise AddressError(f"listen tcp {address}: bind: {os.strerror(error.errno or 0).lower()}") from None
    return sock


def bound(sock: socket.socket) -> str:
    """The address a listener really has."""
    host, port = sock.getsockname()[:2]
    return join("::" if host in WILDCARDS else host, port)

"""The wire between the machines: packets of one TUN device in, out of another one, DELAY wall seconds later.

`python -m tests.networks.wire DELAY FIRST_ADDRESS NAMESPACE...`: the n-th namespace gets FIRST_ADDRESS + n, in its /24.
Prints "ready"; ends with its stdin. (The kernel of a container often has no `tc netem`; TUN devices it has.)
"""

import fcntl
import os
import selectors
import struct
import subprocess
import sys
import time
from collections import deque
from ipaddress import IPv4Address

TUNSETIFF, TUN, NO_INFO = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
LARGEST = 65536  # bytes of a packet


def device(namespace: str, address: IPv4Address) -> int:
    """A TUN device, moved to the namespace and up there with the address; its descriptor stays here."""
    descriptor, name = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK), f"mb{os.getpid()}"
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), TUN | NO_INFO))
    inside = ["ip", "-n", namespace]
    for command in (
        ["ip", "link", "set", name, "netns", namespace],
        [*inside, "address", "add", f"{address}/24", "dev", name],
        [*inside, "link", "set", name, "up"],
        [*inside, "link", "set", "lo", "up"],
        [*inside, "link", "set", name, "name", "wire"],
    ):
        subprocess.run(command, check=True)
    return descriptor


def carry(machines: dict[bytes, int], delay: float) -> None:
    """Until stdin ends. `machines`: address, four bytes -> descriptor. What is for nobody is dropped."""
    under_way: deque[tuple[float, int, bytes]] = deque()
    with selectors.DefaultSelector() as selector:
        for descriptor in (0, *machines.values()):
            selector.register(descriptor, selectors.EVENT_READ)
        while True:
            wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
            for key, _ in selector.select(wait):
                if key.fd == 0:
                    return
                packet = os.read(key.fd, LARGEST)
                if (to := machines.get(packet[16:20])) is not None:
                    under_way.append((time.monotonic() + delay, to, packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, to, packet = under_way.popleft()
                os.write(to, packet)


def main(delay: str, first: str, *namespaces: str) -> None:
    """Make the devices, then carry."""
    addresses = [IPv4Address(first) + n for n in range(len(namespaces))]
    machines = {at.packed: device(namespace, at) for at, namespace in zip(addresses, namespaces, strict=True)}
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry(machines, float(delay))


if __name__ == "__main__":
    main(*sys.argv[1:])

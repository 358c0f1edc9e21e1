"""The wire itself: it connects the machines, takes its time, and they reach nobody else."""

import subprocess
import sys

from tests.networks.machines import DELAY, machines, needs_machines

ECHO = """
import socket
server = socket.create_server(("0.0.0.0", 7))
print("up", flush=True)
connection, who = server.accept()
connection.sendall(who[0].encode())
"""
ASK = """
import socket, sys, time
begin = time.perf_counter()
connection = socket.create_connection((sys.argv[1], 7), 5)
print(time.perf_counter() - begin, connection.recv(99).decode())
"""


@needs_machines
def test_machines_see_each_other_at_their_addresses_after_the_delay() -> None:
    """A TCP handshake takes a round trip; this machine's loopback is not theirs."""
    with machines(2) as (one, other):
        with subprocess.Popen(one.command(sys.executable, "-c", ECHO), stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "up\n"
            command = other.command(sys.executable, "-c", ASK, one.address)
            took, seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        alone = subprocess.run(other.command(sys.executable, "-c", ASK, "127.0.0.1"), capture_output=True, check=False)

    assert seen == other.address
    assert float(took) >= 2 * DELAY
    assert alone.returncode == 1

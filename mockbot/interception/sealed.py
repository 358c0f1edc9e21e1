"""Run a command whose only way out is the forward proxy: `python -m mockbot.interception.sealed [FOLDER PORT COMMAND]`.

A new user and network namespace (Linux, user_namespaces(7)) with nothing but loopback, on which the forward proxy
listens at its usual port: the socket is bound in here, and handed to the interceptor by its Unix socket in FOLDER
(SCM_RIGHTS). What does not ask the proxy reaches nobody, this machine neither. Without arguments it only tries.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mockbot.errors import UsageError

NOT_PERMITTED = 97  # exit code
BACKLOG = 2048
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET (linux/sched.h)
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP (netdevice(7))
_PROGRAM = [sys.executable, "-P", "-m", "mockbot.interception.sealed"]


def sealed(command: Sequence[str], certificates: str, forward_proxy: str) -> tuple[str, ...]:
    """The command line that runs `command` sealed."""
    return (*_PROGRAM, certificates, forward_proxy.rpartition(":")[2], *command)


@contextmanager
def door(folder: Path | str) -> Iterator[str]:
    """The path of the interceptor's Unix socket in the folder, short enough for one (unix(7): 108 bytes)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/door"
    finally:
        os.close(descriptor)


def require_sealing() -> None:
    """UsageError with the reason where this system does not permit it."""
    if sys.platform != "linux":
        raise UsageError("--sealed needs Linux, whose network namespaces it uses; leave it out")
    tried = subprocess.run(_PROGRAM, capture_output=True, text=True, check=False)
    if tried.returncode:
        why = tried.stderr.strip().rpartition("\n")[2]
        raise UsageError(
            f"--sealed: this system permits no network namespace ({why}); in a container allow user namespaces, on "
            "Ubuntu set kernel.apparmor_restrict_unprivileged_userns=0, or leave --sealed out"
        )


def _enter() -> None:
    """A namespace in which this process is who it was, with loopback up. Raises OSError."""
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}")
    for file, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", file).write_text(text, "ascii")
    with socket.socket() as sock:
        name, flags = struct.unpack("16sh", fcntl.ioctl(sock, _GET_FLAGS, struct.pack("16sh", b"lo", 0)))
        fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sh", name, flags | _UP))


def main(argv: Sequence[str]) -> None:
    """Try, or become the command; exits with NOT_PERMITTED where that fails."""
    try:
        _enter()
        if argv:
            folder, port, *command = argv
            with (
                door(folder) as path,
                socket.create_server(("127.0.0.1", int(port)), backlog=BACKLOG) as listener,
                socket.socket(socket.AF_UNIX) as interceptor,
            ):
                interceptor.connect(path)
                socket.send_fds(interceptor, [b"!"], [listener.fileno()])
                interceptor.recv(1)  # once it listens
            os.execvp(command[0], command)  # noqa: S606  the user's own
    except OSError as error:
        print(f"mockbot: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(NOT_PERMITTED)


if __name__ == "__main__":
    main(sys.argv[1:])

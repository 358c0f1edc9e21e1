"""The interceptor's process: a Plan as a line of stdin in, its addresses out, once all of it listens.

It ends at SIGINT, SIGTERM or the end of stdin, and deletes the folder of the public certificate. The CA's key is in its
memory only. `HTTPS_PROXY`, `NO_PROXY` and the variables of environment.TRUST are read in its environment.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from urllib.parse import SplitResult, urlsplit

from mockbot.errors import MockbotError, UsageError
from mockbot.http_server.deadline_server import DeadlineServer
from mockbot.interception.certificate_authority import CertificateAuthority
from mockbot.interception.forward_proxy import ForwardProxy
from mockbot.interception.interceptor_api import Terminators, interceptor_api
from mockbot.interception.peer_users import PeerUsers
from mockbot.interception.plan import Plan
from mockbot.interception.sealed import door
from mockbot.interception.trust_folder import trust_folder
from mockbot.process.event_loop import new_event_loop, stop_event
from mockbot.process.lifeline import report_ready
from mockbot.process.self_watch import SelfWatch, raise_descriptor_limit

READ_LIMIT = 15.0  # wall seconds for a request to the control API
IDLE_LIMIT = 60
DOOR_WITHIN = 5.0  # wall seconds for a socket to be handed over


def upstream_proxy(environment: Mapping[str, str]) -> SplitResult | None:
    """The user's own proxy for https URLs. UsageError for one that is not asked by HTTP."""
    text = next((environment[name] for name in ("https_proxy", "HTTPS_PROXY") if environment.get(name)), None)
    if text is None:
        return None
    found = urlsplit(text if "://" in text else f"http://{text}")
    if found.scheme != "http" or not found.hostname:
        raise UsageError(
            f"HTTPS_PROXY leads to a proxy of the kind {found.scheme}://, and only http:// is passed on to; "
            "unset it, or set it to an http:// proxy"
        )
    return found


async def _let_in(listens: socket.socket, proxy: ForwardProxy) -> None:
    """Let the forward proxy accept connections on each listening socket that comes by this Unix socket, too."""
    loop = asyncio.get_running_loop()
    while True:
        sealed, _ = await loop.sock_accept(listens)
        with sealed:
            sealed.settimeout(DOOR_WITHIN)
            try:
                _, descriptors, *_ = await asyncio.to_thread(socket.recv_fds, sealed, 1, 1)
                await proxy.start(socket.socket(fileno=descriptors[0]))
                sealed.sendall(b"!")
            except (OSError, IndexError):  # whoever came has gone
                continue


async def serve(plan: Plan, environment: Mapping[str, str]) -> None:
    """Run until a signal or the end of stdin."""
    stop, authority, watch = stop_event(leased=True), CertificateAuthority(plan.hosts), SelfWatch()
    bypass = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(trust_folder(authority.certificate_pem, environment))
        # TLS alone asks nobody else, so that it is all the same what proxy the user has.
        if (users := PeerUsers.of_this_one()) is not None:
            stack.callback(users.close)
        upstream = upstream_proxy(environment) if plan.hosts else None
        proxy = ForwardProxy(plan.hosts, upstream, bypass, users=users)
        port = await proxy.start()
        stack.push_async_callback(proxy.close)
        terminators = Terminators(authority)
        listening = terminators.follow(plan)
        runs = [watch.run()]
        if sys.platform == "linux":
            listens = stack.enter_context(socket.socket(socket.AF_UNIX))
            with door(folder) as path:
                listens.bind(path)
            listens.listen()
            listens.setblocking(False)
            runs.append(_let_in(listens, proxy))
        tasks = [asyncio.create_task(run) for run in runs]
        stack.callback(lambda: [task.cancel() for task in (*tasks, *terminators.tasks)])
        control = DeadlineServer(interceptor_api(proxy, terminators, watch), READ_LIMIT, IDLE_LIMIT)
        listener = socket.create_server(("127.0.0.1", 0))
        await control.listen(listener)
        stack.push_async_callback(control.close)
        report_ready(
            {
                "control": f"http://127.0.0.1:{listener.getsockname()[1]}",
                "forward_proxy": f"http://127.0.0.1:{port}",
                "providers": listening,
                "certificates": str(folder),
            }
        )
        await stop.wait()


def main() -> None:
    """The command line of this child process."""
    raise_descriptor_limit()
    plan = Plan(**json.loads(sys.stdin.buffer.readline()))
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(plan, os.environ))
    except MockbotError as error:
        print(f"mockbot: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)

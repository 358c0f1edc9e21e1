"""A small real provider in a process of its own, and services whose provider `main` stands in front of it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, cast

import httpx
import pytest

from mockbot.process.managed_process import ManagedProcess
from mockbot.service.control_client import ServiceControl
from mockbot.upstream.settings import UpstreamSettings
from tests.service.conftest import Served
from tests.service.values import scenario_of

SMALL = Path(__file__).with_name("small_server.py")


class Fronted(Protocol):
    """Start a service in front of an upstream, or of a recording."""

    def __call__(self, speed: float = 1.0, *, provider: Mapping[str, Any] = ..., **settings: Any) -> Served: ...


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The small server's base URL."""
    with subprocess.Popen(
        [sys.executable, str(SMALL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as small:
        assert small.stdin is not None and small.stdout is not None  # noqa: PT018
        yield f"http://127.0.0.1:{int(small.stdout.readline())}"
        small.stdin.close()


def seen(upstream: str) -> list[dict[str, Any]]:
    """Every request that the small server has got."""
    return cast("list[dict[str, Any]]", httpx.get(f"{upstream}/seen").json())


@pytest.fixture
def front(tmp_path: Path, upstream: str) -> Iterator[Fronted]:
    """Services that live as long as the test."""
    with ExitStack() as stack:

        def start(
            speed: float = 1.0, *, provider: Mapping[str, Any] = {"upstream": "real"}, **settings: Any
        ) -> Served:  # fmt: skip
            if "upstream" in provider:
                settings.setdefault("urls", {"main": upstream})
            told = f"{scenario_of({'main': provider}).model_dump_json()}\n"
            told += UpstreamSettings.model_validate(settings).model_dump_json()
            arguments = ["mockbot.service", "-", "--speed", str(speed), "--upstreams-stdin", "--lease-stdin"]
            log = tmp_path / "service.log"
            ready = stack.enter_context(ManagedProcess(arguments, log, told)).ready
            providers = cast("dict[str, str]", ready["providers"])
            control = str(ready["control"])
            return Served(control, str(ready["status"]), providers, ServiceControl(control))

        yield start


def question(words: int = 6, **more: Any) -> dict[str, Any]:
    """A chat request that is answered with so many words."""
    content = " ".join(["word"] * words)
    return {"model": "small", "messages": [{"role": "user", "content": content}], **more}


def text_in(body: bytes) -> str:
    """What a streamed or a plain answer says."""
    if not body.startswith(b"data:"):
        return str(json.loads(body)["choices"][0]["message"]["content"])
    events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(each["choices"][0]["delta"].get("content", "") for each in events if "choices" in each).strip()


def unserved(served: Served) -> dict[str, int]:
    """What was asked in vain, once a second in which it was is over."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if counts := [second.unserved for second in served.control.seconds(0) if second.unserved]:
            return counts[0]
        time.sleep(0.05)
    return {}

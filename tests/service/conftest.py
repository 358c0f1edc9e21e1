"""A real service process on loopback, made from a provider or two; stopped with the test."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from mockbot.clock import Clock
from mockbot.dialects.compatible.compatible_providers import PROVIDERS
from mockbot.faults.base import ServiceFault
from mockbot.process.managed_process import ManagedProcess
from mockbot.scenario.schema import Scenario
from mockbot.service.control_client import ServiceControl
from tests.service.values import active, scenario_of


@dataclass(frozen=True, slots=True)
class Served:
    """A running service and the hand on it."""

    control_url: str
    status: str
    providers: Mapping[str, str]
    control: ServiceControl

    @property
    def main(self) -> str:
        """Base URL of the first provider."""
        return self.providers["main"]

    def break_with(self, *faults: ServiceFault, provider: str = "main") -> None:
        """These faults hold from now on, each named by its kind."""
        self.control.set_faults(provider, [active(fault) for fault in faults])


Serve = Callable[..., Served]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """`start(speed=1, others=..., **provider)`: start a service whose provider `main` is as given."""
    with ExitStack() as stack:

        def start(speed: float = 1.0, others: Mapping[str, Any] | None = None, **provider: Any) -> Served:
            scenario: Scenario = scenario_of({"main": provider, **(others or {})})
            file = folder / f"scenario-{len(list(folder.iterdir()))}.json"
            file.write_text(scenario.model_dump_json(), "utf-8")
            arguments = ["mockbot.service", str(file), "--speed", str(speed), "--lease-stdin"]
            ready = stack.enter_context(ManagedProcess(arguments, file.with_suffix(".log"))).ready
            control = ServiceControl(str(ready["control"]))
            providers = cast("dict[str, str]", ready["providers"])
            return Served(str(ready["control"]), str(ready["status"]), providers, control)

        yield start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start services that live as long as the test."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def one_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One quick provider for all tests that need nothing special; each of them takes `served`."""
    quick = {"first_token": "1ms", "tokens": {"median": 12, "p95": 12}, "pace": "1000/s"}
    limits = {"tiny": "1/m"}
    own = ["gpt-*", "o4-*", "text-embedding-*", "omni-moderation-*"]
    others = {
        "anthropic": {"dialect": "anthropic", "answer": quick, "limits": limits, "models": ["claude-*"]},
        "bedrock": {"dialect": "bedrock", "answer": quick, "models": ["anthropic.*", "amazon.titan-*", "cohere.*"]},
        "gemini": {"dialect": "gemini", "answer": quick, "limits": limits, "models": ["gemini-*", "text-embedding-*"]},
        "azure": {"dialect": "azure", "answer": quick, "limits": limits, "models": [*own, "chat-default"]},
        **{
            row.name: {"dialect": row.name, "answer": quick, "limits": limits, "models": [*own, *row.models]}
            for row in PROVIDERS
        },
    }
    with serving(tmp_path_factory.mktemp("service")) as start:
        yield start(answer=quick, limits=limits, models=own, others=others)


@pytest.fixture
def served(one_service: Served) -> Iterator[Served]:
    """The shared service, without faults and as if it had just begun."""
    one_service.control.start_clock(Clock.start())
    yield one_service
    for provider in one_service.providers:
        one_service.control.set_faults(provider, [])


def body(**more: Any) -> str:
    """A chat completion request as JSON."""
    return json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}], **more})

"""Start the interceptor as a child: a Plan in, the process with its addresses out."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from mockbot.errors import UsageError
from mockbot.interception.plan import Plan
from mockbot.process.managed_process import ManagedProcess


def require_cryptography() -> None:
    """UsageError where what makes certificates is not installed."""
    if find_spec("cryptography") is None or find_spec("certifi") is None:
        raise UsageError("certificates are made by the package cryptography; pip install 'mockbot[intercept]'")


@contextmanager
def running_interceptor(plan: Plan, log: Path | None = None) -> Iterator[ManagedProcess]:
    """The process, which ends with the block. Raises UsageError or TestbedError."""
    require_cryptography()
    with ManagedProcess(["mockbot.interception"], log, plan.to_json()) as child:
        yield child

"""Requests to one control port: blocking calls with time limits, and typed errors.

A Session replaces toxiproxy-python's global APIConsumer: one address per object, and an error with the server's message
for every answer outside 2xx. `over` makes the library's classes use it.
"""

from types import FunctionType
from typing import Final, TypeVar, cast

from mockbot.errors import TestbedError
from mockbot.process.control_port import ControlAnswer, ask

LIMITS: Final = (2.0, 5.0)  # seconds to connect, seconds to answer

C = TypeVar("C")


class ControlError(TestbedError):
    """The control port refused. `status` is HTTP's, `message` the server's own text."""

    def __init__(self, doing: str, status: int, message: str) -> None:
        super().__init__(f"the proxy's control port refused to {doing}: {message} (HTTP {status})")
        self.status, self.message = status, message


class ControlUnreachable(TestbedError):  # noqa: N818 - a state, like the next one
    """Nothing answers at the control port's address."""


class ControlPlaneHung(TestbedError):  # noqa: N818
    """The control port accepted a request and did not answer in time: Toxiproxy 2.12.0 has deadlocked (issue #558)."""


class Session:
    """One control port; safe to share between threads, and between greenlets under gevent: no connection is kept."""

    def __init__(self, url: str, token: str | None = None, limits: tuple[float, float] = LIMITS) -> None:
        self.url, self.limits, self._token = url.rstrip("/"), limits, token

    def get(self, path: str, **_: object) -> ControlAnswer:
        return self.call("GET", path)

    def post(self, path: str, json: object = ..., **_: object) -> ControlAnswer:
        return self.call("POST", path, json)

    def delete(self, path: str, **_: object) -> ControlAnswer:
        return self.call("DELETE", path)

    def call(self, method: str, path: str, body: object = ...) -> ControlAnswer:
        doing = f"{method} {path}"
        try:
            answer = ask(self.url, method, path, body, token=self._token, limits=self.limits)
        except TimeoutError:
            raise ControlPlaneHung(
                f"{self.url} did not answer {doing} within {self.limits[1]:g} s; restart that server and run again"
            ) from None
        except ConnectionError as error:
            raise ControlUnreachable(f"{self.url} cannot be reached for {doing}: {error}") from None
        if answer.status == 503:  # Toxiproxy's own limit of 25 s came before the limit here
            raise ControlPlaneHung(f"{self.url} gave up on {doing}: its control API is stuck")
        if not 200 <= answer.status < 300:
            raise ControlError(doing, answer.status, message_of(answer))
        return answer


def message_of(answer: ControlAnswer) -> str:
    """The `error` of a JSON body, whatever its content type, or the body's text."""
    try:
        body = answer.json()
    except ValueError:
        return answer.text.strip() or f"status {answer.status}"
    return str(body["error"]) if isinstance(body, dict) and "error" in body else answer.text.strip()


def over(library_class: type[C], session: Session) -> type[C]:
    """The library's class, with `session` where its methods mention the global APIConsumer.

    Same code, other globals: two control ports can live in one process, and the library's own modules stay untouched.
    """
    rebound = {
        name: FunctionType(
            method.__code__,
            {**method.__globals__, "APIConsumer": session},
            name,
            method.__defaults__,
            method.__closure__,
        )
        for name, method in vars(library_class).items()
        if isinstance(method, FunctionType) and "APIConsumer" in method.__code__.co_names
    }
    return cast(type[C], type(library_class.__name__, (library_class,), rebound))

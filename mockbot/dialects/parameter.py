"""The documented parameters of an endpoint, and what mockbot makes of each: the one place where that is said.

done      its effect is there, or it has none on a made-up answer (`text` says so)
reported  ignored, and told at the end of a run as what the client asked for in vain

Values that are not allowed, and parameters that are not in the table, are refused as the provider refuses them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["done", "reported"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One top-level field of a request. A number is `least` at least and `most` at most, a text one of `choices`.

    `unless`: a value that asks for nothing, so that it is not reported.
    """

    state: State
    text: str = ""
    kind: type | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    unless: object = None

    @property
    def limits(self) -> str:
        """What values it may have, in words; empty: not checked here."""
        if self.choices:
            return ", ".join(map("`{}`".format, self.choices))
        if self.least is None and self.most is None:
            return ""
        return f"{self.least:g} to {self.most:g}" if self.most is not None else f"{self.least:g} at least"


Table = Mapping[str, Parameter]
Check = Callable[[str, object, Parameter], None]  # raises ProviderError(400) for a value that is not allowed

DONE = Parameter("done")
NO_EFFECT = "no effect on a made-up text"


def done(*names: str) -> dict[str, Parameter]:
    """Parameters of which there is no more to say."""
    return dict.fromkeys(names, DONE)


def number(kind: type, least: float, most: float | None = None, text: str = "") -> Parameter:
    """A number within bounds."""
    return Parameter("done", text, kind, least, most)


def choice(*choices: str, text: str = "") -> Parameter:
    """One of some words."""
    return Parameter("done", text, str, choices=choices)


def reported(text: str, unless: object = None) -> Parameter:
    """Ignored, and told."""
    return Parameter("reported", text, unless=unless)


def checked(
    data: Mapping[str, object], table: Table, check: Check, unknown: Callable[[list[str]], Exception]
) -> tuple[str, ...]:
    """The names of the parameters to report. Raises what `check` does, and what `unknown` makes of unknown names."""
    if strangers := [name for name in data if name not in table]:
        raise unknown(strangers)
    told = []
    for name, value in data.items():
        parameter = table[name]
        if value is None or parameter is DONE:
            continue
        if parameter.state == "reported":
            told += [name] if value != parameter.unless else []
        else:
            check(name, value, parameter)
    return tuple(told)

"""What a Family is: one provider's API, with its endpoints, keys, models, and the environment of its SDKs.

`families.py` has all of them; each is an object in the `__init__` of a folder of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mockbot.dialects.dialect import Body, Dialect


class KeyPlace(NamedTuple):
    """Where a request carries its API key: a header, after `scheme` and a blank if it has one, or a query parameter.

    `within`: a regular expression whose first group is the key, where the header holds more than that.
    """

    name: str
    scheme: str = ""
    in_query: bool = False
    within: str = ""


class ModelList(NamedTuple):
    """The models of a provider, listed at `path` and described one by one below it."""

    path: str
    listed: Callable[[Sequence[str]], bytes]
    one: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Family:
    """One provider's API, both sides of the wire.

    The crowd asks the first of `dialects`, which also words the errors of unknown paths. `ask` turns a question as
    OpenAI has it (`model` and `messages`, and whatever else a ChatUser wants) into the body of a request, streamed or
    not. `environment`: the variables that lead the provider's SDKs to a base URL (without /v1) with an API key; `hosts`
    is where they go without them, with `*` for a customer's own name.
    """

    name: str  # `dialect` in a scenario
    dialects: tuple[Dialect, ...]
    ask: Callable[[Body, bool], Body]
    key_places: tuple[KeyPlace, ...]  # the crowd uses the first, a header
    headers: Mapping[str, str]  # of the crowd's requests, beside the key
    retry_header: str  # in which SDKs send the number of a retry, 0 for a first attempt
    environment: Callable[[str, str], Mapping[str, str]]
    hosts: tuple[str, ...]
    models_path: str
    models: tuple[str, ...]  # its own, for the list
    model_list: Callable[[Sequence[str]], bytes]
    model: Callable[[str], bytes]
    hopeless: frozenset[str] = frozenset()  # codes of a 429 that no retry can cure
    unless_set: Mapping[str, str] = field(default_factory=dict)  # variables for an environment that lacks them
    # Where a question as `ask` takes it is asked, streamed or not; None: at the path of `chat`, whatever it is.
    ask_path: Callable[[Body, bool], str] | None = None
    further_lists: tuple[ModelList, ...] = ()  # of its models, at other paths than `models_path`

    @property
    def chat(self) -> Dialect:
        """The endpoint that the crowd asks."""
        return self.dialects[0]

    def path_of(self, question: Body, streamed: bool) -> str:
        """Where the crowd asks this question."""
        return self.chat.path if self.ask_path is None else self.ask_path(question, streamed)

    def credentials(self, key: str) -> dict[str, str]:
        """The header that carries this API key."""
        place = self.key_places[0]
        return {place.name: f"{place.scheme} {key}".lstrip()}

    def request_headers(self, key: str) -> dict[str, str]:
        """The headers of a request with this API key."""
        return {**self.credentials(key), **self.headers}

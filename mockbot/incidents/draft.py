"""The text of an imported scenario: its phases, posts and remarks in, a commented file out. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mockbot.scenario.scaffold import providers_and_crowd, slo_text, speed_for
from mockbot.units.quantities import duration_text

USERS = 60
LONGEST_NAME = 60


class DraftPhase(NamedTuple):
    """`faults`: each the inside of a flow mapping, like "http_error: 503, share: 45%"."""

    name: str
    lasts: float
    because: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    users: int | None = None


class DraftPost(NamedTuple):
    """A post of the scenario's own status page, `at` seconds after its begin."""

    at: float
    state: str
    impact: str
    says: str
    because: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario to be written; `remarks`: what is worth knowing, a comment each."""

    name: str
    title: str
    incident: str
    source: str
    cause: str
    phases: tuple[DraftPhase, ...]
    posts: tuple[DraftPost, ...] = ()
    assumed: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    @property
    def lasts(self) -> float:
        """Scenario seconds of all phases."""
        return sum(phase.lasts for phase in self.phases)


def draft_text(draft: Draft) -> str:
    """The file."""
    return "\n".join(_lines(draft)) + "\n"


def phase_names(words: Sequence[str]) -> list[str]:
    """Each word as a phase's name; one that comes again gets a number."""
    seen: dict[str, int] = {}
    names = []
    for word in words:
        seen[word] = seen.get(word, 0) + 1
        names.append(word if seen[word] == 1 else f"{word}-{seen[word]}")
    return names


def _lines(draft: Draft) -> Iterator[str]:
    speed = speed_for(draft.lasts)
    users = max([USERS, *(phase.users or 0 for phase in draft.phases)])
    yield "# Imported by `mockbot import`. Next:  mockbot show FILE   mockbot simulate FILE   mockbot run FILE"
    yield "# Every time has its source beside it; what no source says is under `retells.assumed`."
    for remark in draft.remarks:
        yield f"# {_line(remark)}"
    yield f"name: {draft.name}"
    yield f"title: {_quoted(draft.title)}"
    yield "retells:"
    yield f"  incident: {_quoted(draft.incident)}"
    yield f"  source: {_quoted(draft.source)}"
    yield "  assumed:"
    for assumption in (
        *draft.assumed,
        "sizes, crowd, policies and answers; what was before and after",
    ):
        yield f"    - {_quoted(assumption)}"
    yield f"cause: {draft.cause}"
    yield "seed: 1"
    yield f"speed: {speed:g}"
    yield f"slo: {slo_text(users, speed)}"
    yield ""
    yield providers_and_crowd(users, speed).rstrip("\n")
    yield ""
    yield "phases:"
    for number, phase in enumerate(draft.phases):
        yield from _phase(phase, USERS if number == 0 and phase.users is None else phase.users)
    if draft.posts:
        yield ""
        yield "status_page:"
    for post in draft.posts:
        yield f"  # {_line(post.because)}"
        says = f", says: {_quoted(post.says)}" if post.says else ""
        yield f"  - {{at: {duration_text(post.at)}, state: {post.state}, impact: {post.impact}{says}}}"
    yield ""
    yield "expect:                # what the run is judged by; change it to what you need"
    yield f'  - {{phase: {draft.phases[0].name}, availability: ">= 90%"}}'


def _phase(phase: DraftPhase, users: int | None) -> Iterator[str]:
    for because in phase.because:
        yield f"  # {_line(because)}"
    yield f"  - name: {phase.name}"
    yield f"    lasts: {duration_text(phase.lasts)}"
    if users is not None:
        yield f"    users: {users}"
    if phase.faults:
        yield "    faults:"
    for fault in phase.faults:
        yield f"      - {{{fault}}}"


def _quoted(text: str) -> str:
    """A YAML scalar of any text: JSON's quotes, without what YAML does not print."""
    return json.dumps(_line(text), ensure_ascii=False)


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)

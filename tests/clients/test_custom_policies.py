"""A user's own policy: ten lines, an entry point, and its name in a scenario."""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from pydantic import ValidationError

from mockbot.clients.policy_factory import PolicyFactory
from mockbot.errors import UsageError
from mockbot.scenario.schema import Group
from tests.clients.play import DOWN, always, answers, group, play, policies, status

STUBBORN = '''
from random import Random

from mockbot.clients.policy import AttemptResult


class Stubborn:
    """Asks five times, some seconds apart, unless it is told that the question itself is wrong."""

    def __init__(self, pause: float = 3.0) -> None:
        self.pause = pause

    def __call__(self, failures: int, seen: AttemptResult, rng: Random) -> float | None:
        if failures >= 5 or seen.status == 400:
            return None
        return self.pause * rng.uniform(0.5, 1.5)


NOT_CALLABLE = 7
'''


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution `ourbots` with its entry points, as pip would have left it."""
    (tmp_path / "ourbots.py").write_text(STUBBORN, "utf-8")
    info = tmp_path / "ourbots-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ourbots\nVersion: 1.0\n", "utf-8")
    points = {"stubborn": "Stubborn", "gone": "Gone", "seven": "NOT_CALLABLE"}
    lines = [f"{name} = ourbots:{what}" for name, what in points.items()] + ["lost = ourbotz:Stubborn"]
    (info / "entry_points.txt").write_text("[mockbot.policies]\n" + "\n".join(lines) + "\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("ourbots", None)


def test_its_name_alone_uses_it() -> None:
    """`policy: stubborn`: five attempts, 1.5 to 4.5 s apart."""
    told = always("stubborn", DOWN)

    assert len(told.sends) == 5
    assert all(1.5 <= gap <= 4.5 for gap in told.gaps)


def test_it_sees_what_the_client_saw() -> None:
    """It gives up at a 400."""
    assert len(always("stubborn", status(400)).sends) == 1


def test_options_are_its_keyword_arguments() -> None:
    """`options: {pause: 20}` makes the gaps 10 to 30 s."""
    assert all(10 <= gap <= 30 for gap in always({"name": "stubborn", "options": {"pause": 20}}, DOWN).gaps)


def test_the_parts_surround_it_too() -> None:
    """Patience, timeout, fail-over and breaker are mockbot's, and hold for it."""
    words = {"name": "stubborn", "timeout": "9s", "breaker": {"name": "consecutive", "failures": 2}}

    told = play(policies(words, patience="20s", falls_over_to="other").new_client(Random(1)), answers(DOWN))

    assert told.providers == ["main", "main", "other", "other"]
    assert told.sends[0].timeout == 9.0


def test_it_survives_the_way_to_another_process() -> None:
    """The group is written to JSON and read again, as for Locust's child."""
    before = group({"name": "stubborn", "options": {"pause": 20.5}})

    assert Group.model_validate_json(before.model_dump_json()) == before


def test_a_name_that_nobody_installed_is_no_policy() -> None:
    """`policy: stuborn` is refused while the file is read."""
    with pytest.raises(ValidationError, match="stuborn"):
        group("stuborn")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"name": "stubborn", "options": {"pausse": 20}}, "'stubborn' does not take these options.*pausse"),
        ({"name": "gone"}, r"'gone' \(ourbots:Gone\) cannot be loaded"),
        ({"name": "lost"}, r"'lost' \(ourbotz:Stubborn\) cannot be loaded"),
        ({"name": "seven"}, "not a class or function"),
    ],
)
def test_what_cannot_be_used_says_why(words: dict[str, object], says: str) -> None:
    """An error that the user can mend, before anything has started."""
    with pytest.raises(UsageError, match=says):
        PolicyFactory(group(words), "main")


def test_a_policy_that_was_taken_away_is_named() -> None:
    """The scenario was read where it was installed, and is run where it is not."""
    read = group("stubborn")
    sys.path.pop(0)

    with pytest.raises(UsageError, match="'stubborn' is not installed"):
        PolicyFactory(read, "main")

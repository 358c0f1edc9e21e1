"""Whom a master takes: each difference by itself is refused, with a sentence that says which one and what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from mockbot.load.introduction import Introduction

OWN = Introduction("here", "0.1.0", "a" * 64, "2.47.0", "b" * 64, "word")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"host": "there"}, ""),
        ({"token": "wörd"}, "MOCKBOT_TOKEN is not this run's"),
        ({"token": ""}, "MOCKBOT_TOKEN is not this run's"),
        (
            {"version": "0.2.0"},
            "it runs mockbot 0.2.0 with Locust 2.47.0, the master 0.1.0 with 2.47.0; install",
        ),
        ({"locust": "2.43.0"}, "mockbot 0.1.0 with Locust 2.43.0"),
        ({"sources": "c" * 64}, "differs (cccccccc there, aaaaaaaa at the master); install the same"),
        ({"locustfile": "d" * 64}, "another one (SHA-256 dddddddd there, bbbbbbbb at the master)"),
    ],
)
def test_each_difference_is_refused_by_its_name(change: dict[str, str], says: str) -> None:
    """Only the machine may be another one."""
    why = OWN.why_not(replace(OWN, **change))

    assert says in why
    assert bool(why) == bool(says)


def test_equal_files_have_equal_digests_wherever_they_are(tmp_path: Path) -> None:
    """A copy on another machine has another path; one more byte is another file."""
    first, copy = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text("users = 1\n", "utf-8")
    copy.write_text("users = 1\n", "utf-8")
    own = Introduction.own([first], "word")
    same = Introduction.own([copy], "word")
    copy.write_text("users = 2\n", "utf-8")

    assert own.why_not(same) == ""
    assert "its locustfile is another one" in own.why_not(Introduction.own([copy], "word"))

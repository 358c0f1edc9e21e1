"""What docs/scale.md shows is what mockbot says: the lines for the user, and each refusal."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from mockbot.cli import cli
from mockbot.commands.worker import Elsewhere
from mockbot.load.introduction import Introduction
from mockbot.version import __version__

PAGE = (Path(__file__).parents[1] / "docs" / "scale.md").read_text("utf-8")
OWN = Introduction("a", __version__, "a" * 64, "2.47.0", "b" * 64, "word")


def test_the_page_shows_the_lines_of_a_run_that_waits() -> None:
    """Word for word, but for the token."""
    lines = Elsewhere(4, "10.0.0.1", 60.0).told(5557, "...")

    assert "\n".join(lines) in PAGE


@pytest.mark.parametrize(
    "other",
    [{"token": "another"}, {"version": "0.0.9"}, {"sources": "c" * 64}, {"locustfile": "d" * 64}],
    ids=lambda change: next(iter(change)),
)
def test_the_page_has_each_refusal(other: dict[str, str]) -> None:
    """Up to the digests."""
    says = re.split(r" \(|; copy", OWN.why_not(replace(OWN, **other)))[0]

    assert f"| {says}" in PAGE


def test_the_page_names_options_that_there_are() -> None:
    """Of three commands of mockbot, of docker compose, of Locust and of dask."""
    commands = "run", "worker", "simulate"
    known = {text for name in commands for option in cli.commands[name].params for text in option.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE))

    assert named - known == {"--scale", "--worker", "--port", "--nworkers", "--nthreads"} - known

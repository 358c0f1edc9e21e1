"""Bundled files are found by name, from a checkout and from a wheel; a wrong name gets the nearest right one."""

from pathlib import Path

import pytest

from mockbot.errors import ExitCode, ScenarioError
from mockbot.scenario import library


def test_the_three_causes_are_bundled() -> None:
    """One for each cause in the news story."""
    assert {"traffic-surge", "maintenance-window", "unexpected-failure"} <= set(library.names())


@pytest.mark.parametrize("name", library.names())
def test_a_bundled_name_is_found(name: str) -> None:
    """And the file says the same name."""
    path = library.find(name)

    assert path.is_file()
    assert f"\nname: {name}\n" in path.read_text("utf-8")


def test_a_path_is_found_as_it_is(tmp_path: Path) -> None:
    """A user's own file, wherever it is."""
    own = tmp_path / "own.yaml"
    own.touch()

    assert library.find(str(own)) == own


def test_a_bundled_name_wins_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`runs/` and the like in the current folder do not hide what is bundled."""
    (tmp_path / "traffic-surge").mkdir()
    monkeypatch.chdir(tmp_path)

    assert library.find("traffic-surge").parent == library.folder("scenarios")


@pytest.mark.parametrize("wrong", ["trafic-surge", "trafic-surge.yaml", "somewhere/trafic-surge.yaml"])
def test_a_mistyped_name_gets_the_nearest_one(wrong: str) -> None:
    """With exit code 2, and no traceback."""
    with pytest.raises(ScenarioError, match="did you mean 'traffic-surge'") as caught:
        library.find(wrong)

    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("wrong", ["", "a\0b", "x" * 10_000])
def test_what_cannot_be_a_file_is_told(wrong: str) -> None:
    """Whatever a shell variable had in it."""
    with pytest.raises(ScenarioError, match="no such"):
        library.find(wrong)


def test_load_tests_are_found_by_name() -> None:
    """`chat` is what `mockbot run` starts."""
    assert library.loadtest("chat").name == "chat.py"


def test_an_unknown_load_test_gets_the_nearest_one() -> None:
    """Likewise."""
    with pytest.raises(ScenarioError, match="did you mean 'chat'"):
        library.loadtest("chatt")


def test_a_wheel_carries_its_library_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other packages, only what is inside the package can be meant."""
    inside = tmp_path / "mockbot" / "_library" / "scenarios"
    inside.mkdir(parents=True)
    (inside / "carried.yaml").touch()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "of-another-package.yaml").touch()
    monkeypatch.setattr(library, "PACKAGE", tmp_path / "mockbot")

    assert library.names() == ("carried",)

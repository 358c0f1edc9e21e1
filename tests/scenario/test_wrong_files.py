"""A user's mistake in a scenario file: where it is, the offending value, the nearest right one."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockbot.errors import ExitCode, ScenarioError
from mockbot.scenario.load import MOST_BYTES, load_scenario, read_scenario
from tests.scenario.build import FILE
from tests.scenario.mistakes import WRONG, Wrong


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_mistake_is_told_with_its_place_and_the_way_out(tmp_path: Path, wrong: Wrong) -> None:
    """One line `file:line:column: path: message`, in a ScenarioError that exits with 2."""
    assert wrong.old in FILE
    file = tmp_path / "small.yaml"
    file.write_text(FILE.replace(wrong.old, wrong.new, 1), "utf-8")

    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)

    lines = str(caught.value).splitlines()
    assert any(line.startswith(f"{file}:{wrong.place}") and wrong.says in line for line in lines), str(caught.value)
    assert len(lines) == 1
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_file_that_the_mistakes_are_made_in_is_right() -> None:
    """Otherwise the table would show nothing."""
    assert read_scenario(FILE).name == "small"


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    """Nobody has to run it once for each."""
    text = FILE.replace("slots: 4", "slts: 4").replace("http_error", "htp_error").replace("60%", "60")

    with pytest.raises(ScenarioError) as caught:
        read_scenario(text)

    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["5", "8", "17"]


def test_a_list_whose_entries_are_wrong_is_not_called_empty() -> None:
    """The first line names the real problem."""
    text = FILE.replace("lasts: 1m", "lasts: 1 minute")

    assert "is empty" not in told(text)
    assert all("'1 minute' is not a duration" in line for line in told(text).splitlines())


@pytest.mark.parametrize(
    ("old", "new"), [("lasts: 1m", "lasts: {}"), ("slots: 4", "{}: 4"), ("name: small", "name: {}")]
)
@pytest.mark.parametrize("long", ["9" * 40_000, "'it is " + "a word " * 5_000 + "'", '"' + "\\\\ " * 10_000 + '"'])
def test_a_message_quotes_no_more_than_a_line(old: str, new: str, long: str) -> None:
    """A value or a key of 40,000 characters is told by its beginning."""
    lines = told(FILE.replace(old, new.format(long), 1)).splitlines()

    assert lines
    assert max(map(len, lines)) < 250


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 8)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ":1:1: scenario: is empty; a scenario begins with 'name:'"),
        (b"# only a comment\n", ":1:1: scenario: is empty"),
        (b"- name: a\n", ":1:1: scenario: a scenario is a mapping that begins with 'name:', not a list"),
        (
            b"unexpected-failure\n",
            ":1:1: scenario: a scenario is a mapping that begins with 'name:', not a single value",
        ),
        (b"name: x\ntitle: caf\xe9\n", ":2:11: scenario: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("name: größe\ntitle: é".encode() + b"\xff", ":2:9: scenario: the byte 0xff is not UTF-8"),
        (b"- " * 5000, ":1:1: scenario: nested too deeply"),
        (b"# " + b"x" * MOST_BYTES, ": is larger than 64 KiB"),
        (BOMB.encode(), "more than 20,000 values once its aliases are followed"),
    ],
    ids=["empty", "comment", "list", "word", "latin-1", "not utf-8", "deep", "large", "bomb"],
)
def test_what_is_no_scenario_at_all_is_told_too(tmp_path: Path, content: bytes, says: str) -> None:
    """Bytes that nobody meant as a scenario, or meant ill."""
    file = tmp_path / "strange.yaml"
    file.write_bytes(content)

    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)

    assert says in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + FILE.encode())

    assert load_scenario(file).name == "small"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Naming the folder of scenarios is told as that."""
    with pytest.raises(ScenarioError, match="is a folder; name one scenario file in it"):
        load_scenario(tmp_path)


def test_a_missing_file_names_the_nearest_bundled_scenario(tmp_path: Path) -> None:
    """Somebody who mistypes a bundled name sees the right one."""
    with pytest.raises(ScenarioError, match="did you mean 'traffic-surge'"):
        load_scenario(tmp_path / "trafic-surge.yaml")


def test_a_name_that_cannot_be_a_file_is_told() -> None:
    """A NUL is in no file name."""
    with pytest.raises(ScenarioError, match="not a file name"):
        load_scenario(Path("a\0b"))


def test_aliases_may_be_used_for_whole_values() -> None:
    """Two providers that are the same need to be written once."""
    text = FILE.replace("  main:\n    slots: 4\n  other: {}", "  main: &m {slots: 4}\n  other: *m")

    providers = read_scenario(text).providers

    assert providers["other"] == providers["main"]
    assert providers["main"].slots == 4


def told(text: str) -> str:
    """What is wrong with it; nothing when it is right."""
    try:
        read_scenario(text, "file")
    except ScenarioError as error:
        return str(error)
    return ""


KEYS = [
    "name",
    "policy",
    "faults",
    "http_error",
    "on",
    "users",
    "lasts",
    "at",
    "share",
    "x",
    "providers",
    "crowd",
    "phases",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["5s", "5%", "main", "2/s", "backoff", "{", "- ", "*a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(junk=VALUES, where=st.sampled_from(["providers", "crowd", "phases", "status_page", "expect", "retells", "slo"]))
def test_no_value_anywhere_ends_in_a_traceback(junk: object, where: str) -> None:
    """Whatever stands in a file, it is a scenario or a ScenarioError."""
    kept = "".join(f"{part}" for part in FILE.splitlines(keepends=True) if not part.startswith(where))

    says = told(f"{where}: {junk!r}\n{kept}")

    assert says == "" or says.startswith("file:")


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60), at=st.integers(0, len(FILE)))
def test_no_text_anywhere_ends_in_a_traceback(text: str, at: int) -> None:
    """A cat on the keyboard gets line and column, too."""
    says = told(FILE[:at] + text + FILE[at:])

    assert says == "" or says.startswith("file:")


def test_a_replica_beyond_the_last_is_told_with_those_there_are() -> None:
    """Two places of the file belong together."""
    text = FILE.replace("slots: 4", "replicas: 4").replace("503}", "503, replica: 5}")

    assert "phases.1.faults.0.replica: there is no replica 5: 'main' has replicas 1 to 4" in told(text)
    assert read_scenario(text.replace("replica: 5", "replica: 4")).providers["main"].all_slots == 160

"""A scenario may extend another: what merges, what replaces, and where a mistake is told."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mockbot.cli import cli
from mockbot.errors import ScenarioError
from mockbot.scenario.dump import scenario_yaml
from mockbot.scenario.library import find
from mockbot.scenario.load import lineage, load_scenario, read_scenario
from mockbot.scenario.policies import Backoff, Refresh
from mockbot.scenario.schema import Scenario
from tests.scenario.build import FILE


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The small scenario as `base.yaml`."""
    path = tmp_path / "base.yaml"
    path.write_text(FILE, "utf-8")
    return path


def over(base: Path, text: str) -> Path:
    """A `child.yaml` beside the base that extends it."""
    path = base.parent / "child.yaml"
    path.write_text(f"extends: base.yaml\nname: child\n{text}", "utf-8")
    return path


def child_of(base: Path, text: str) -> Scenario:
    """The same, read."""
    return load_scenario(over(base, text))


def told(path: Path) -> list[str]:
    """What is wrong with it, a line each, without the folder."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def test_what_a_child_does_not_say_is_its_parents(base: Path) -> None:
    """All but the name, which is always its own."""
    assert child_of(base, "") == read_scenario(FILE).model_copy(update={"name": "child"})


def test_a_child_has_a_name_of_its_own(base: Path) -> None:
    """Two runs under one name would be compared as one scenario."""
    path = base.parent / "nameless.yaml"
    path.write_text("extends: base.yaml\n", "utf-8")

    assert told(path) == ["nameless.yaml:1:1: scenario: 'name' is missing"]


def test_mappings_merge_by_key(base: Path) -> None:
    """One value of a provider changes, its neighbours stay; the first provider stays the first."""
    made = child_of(base, "providers:\n  main: {queue: {limit: 7}}\n  third: {}\n")

    assert (made.providers["main"].slots, made.providers["main"].queue.limit) == (4, 7)
    assert list(made.providers) == ["main", "other", "third"]


def test_a_phase_is_changed_by_its_name(base: Path) -> None:
    """In a list or in a mapping, with the order of the parent."""
    by_list = child_of(base, "phases:\n  - {name: during, lasts: 5m}\n")
    by_mapping = child_of(base, "phases:\n  during: {lasts: 5m}\n")

    assert by_list == by_mapping
    assert [(phase.name, phase.lasts) for phase in by_list.phases] == [("before", 60), ("during", 300), ("after", 60)]
    assert [fault.kind for fault in by_list.phases[1].faults] == ["http_error"]


def test_a_new_phase_follows_the_one_written_before_it(base: Path) -> None:
    """And comes last when there is none."""
    inserted = child_of(base, "phases: [{name: before}, {name: pause, lasts: 2m}]\n")
    appended = child_of(base, "phases: {late: {lasts: 2m}}\n")

    assert [phase.name for phase in inserted.phases] == ["before", "pause", "during", "after"]
    assert [phase.name for phase in appended.phases] == ["before", "during", "after", "late"]


def test_null_removes(base: Path) -> None:
    """A key, a phase, a member of the crowd."""
    text = "phases: {after: null}\nproviders: {other: null, main: {slots: null}}\nstatus_page: null\n"

    made = child_of(base, text + "crowd: {hasty: null, patient: {users: 100%}}\n")

    assert [phase.name for phase in made.phases] == ["before", "during"]
    assert list(made.providers) == ["main"]
    assert made.providers["main"].slots == 40  # the default of the language
    assert list(made.crowd) == ["patient"]
    assert made.status_page == ()


def test_a_policy_of_another_name_replaces_the_old_one(base: Path) -> None:
    """Of the same name it merges; `every` of a refresher means nothing to a backoff."""
    same = child_of(base, "crowd: {hasty: {policy: {name: refresh, timeout: 9s}}}\n").crowd["hasty"].policy
    other = child_of(base, "crowd: {hasty: {policy: {name: backoff, attempts: 3}}}\n").crowd["hasty"].policy

    assert isinstance(same, Refresh)
    assert (same.every, same.timeout) == (5, 9)
    assert isinstance(other, Backoff)
    assert other.attempts == 3


def test_a_list_of_things_without_a_name_is_replaced(base: Path) -> None:
    """Faults, expectations, the status page."""
    made = child_of(base, "expect: []\nphases: {during: {faults: [{latency: 1s}]}}\n")

    assert made.expect == ()
    assert [fault.kind for fault in made.phases[1].faults] == ["latency"]


def test_a_bundled_scenario_is_extended_by_its_name(tmp_path: Path) -> None:
    """From any folder."""
    path = tmp_path / "mine.yaml"
    path.write_text("extends: unexpected-failure\nname: mine\nspeed: 10\n", "utf-8")

    assert load_scenario(path).phases == load_scenario(find("unexpected-failure")).phases
    assert lineage(path) == (path, find("unexpected-failure"))


def test_a_path_goes_from_the_folder_of_the_file_that_names_it(base: Path) -> None:
    """Over two generations and two folders."""
    over(base, "speed: 3\n")
    inner = base.parent / "inner"
    inner.mkdir()
    (inner / "grandchild.yaml").write_text("extends: ../child.yaml\nname: grandchild\nslo: 9s\n", "utf-8")

    made = load_scenario(inner / "grandchild.yaml")

    assert (made.name, made.speed, made.slo, made.title) == ("grandchild", 3, 9, "A small outage")


def test_the_resolved_scenario_extends_nothing(base: Path) -> None:
    """A run folder can be sent to somebody without the parent."""
    made = child_of(base, "phases: {during: {lasts: 5m}}\n")

    text = scenario_yaml(made)

    assert "extends" not in text
    assert read_scenario(text) == made


def test_check_says_what_a_file_extends(base: Path) -> None:
    """The whole chain."""
    path = over(base, "")

    result = CliRunner().invoke(cli, ["check", str(path), "traffic-surge"])

    first, second = (line for line in result.stdout.splitlines() if ": ok: " in line)
    assert first.endswith(f", extends {base}")
    assert "extends" not in second


WRONG = {
    "an unknown parent": (
        "extends: trafic-surge\nname: child\n",
        ["child.yaml:1:10: extends: trafic-surge: no such file, and no such bundled scenario; did you mean 'traffic"],
    ),
    "a missing file": (
        "extends: bas.yaml\nname: child\n",
        ["child.yaml:1:10: extends: bas.yaml: no such file, and no such bundled scenario; did you mean "],
    ),
    "no scenario file": (
        "extends: /etc/passwd\nname: child\n",
        ["child.yaml:1:10: extends: /etc/passwd: no such file"],
    ),
    "several parents": (
        "extends: [a, b]\n",
        ["child.yaml:1:10: extends: should be the name or the path of one scenario"],
    ),
    "nothing": ("extends:\nname: child\n", ["child.yaml:1:1: extends: should be the name or the path of one scenario"]),
    "itself": ("extends: child.yaml\n", ["child.yaml:1:10: extends: 'child.yaml' extends this file, in a circle"]),
    "a mistake of the child": (
        "extends: base.yaml\nname: child\nproviders: {main: {slts: 4}}\n",
        ["child.yaml:3:20: providers.main.slts: 'slts' is no key here; did you mean 'slots'?"],
    ),
    "a value that does not fit": (
        "extends: base.yaml\nname: child\nphases:\n  during: {lasts: 5min}\n",
        ["child.yaml:4:19: phases.1.lasts: '5min' is not a duration"],
    ),
    "a removal that leaves a gap": (
        "extends: base.yaml\nname: child\nphases: {before: null, during: {users: 5}}\n",
        ["base.yaml:22:13: expect.0.phase: 'before' is not a phase of this scenario; there is 'during', 'after' (as"],
    ),
    "a removal of nothing": (
        "extends: base.yaml\nname: child\nphases: {durin: null}\n",
        ["child.yaml:3:10: phases.durin: there is no 'durin' to remove; did you mean 'during'?"],
    ),
    "a phase twice": (
        "extends: base.yaml\nname: child\nphases:\n  - {name: during, lasts: 1m}\n  - {name: during, lasts: 2m}\n",
        ["child.yaml:5:5: phases.during: 'during' is there twice; the first is on line 4"],
    ),
    "a phase that is no mapping": (
        "extends: base.yaml\nname: child\nphases: {during: 5m}\n",
        ["child.yaml:3:18: phases.during: should be a mapping of keys to values, or null to remove 'during'"],
    ),
    "no YAML": ("extends: base.yaml\nname: [\n", ["child.yaml:"]),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_told_in_the_file_that_it_is_in(base: Path, wrong: str) -> None:
    """With line and column, and what to do."""
    text, lines = WRONG[wrong]
    path = base.parent / "child.yaml"
    path.write_text(text, "utf-8")

    said = told(path)

    assert len(said) == len(lines)
    assert all(one.startswith(line) for one, line in zip(said, lines, strict=True)), said


def test_a_mistake_of_the_parent_is_told_there(base: Path) -> None:
    """It is the parent that must be mended; the child says who met it."""
    path = over(base, "")
    base.write_text(FILE.replace("slots: 4", "slts: 4"), "utf-8")

    expected = "base.yaml:5:5: providers.main.slts: 'slts' is no key here; did you mean 'slots'?"
    assert told(path) == [f"{expected} (as extended by child.yaml)"]


def test_a_parent_that_cannot_be_read_is_told_there(base: Path) -> None:
    """As any file that is no YAML."""
    path = over(base, "")
    base.write_text("name: small\n\tphases: []\n", "utf-8")

    (line,) = told(path)

    assert line.startswith("base.yaml:2:1: ")
    assert line.endswith("(as extended by child.yaml)")


def test_a_circle_of_three_is_told(base: Path) -> None:
    """At the file that closes it."""
    path = over(base, "")
    base.write_text("extends: other.yaml\nname: base\n", "utf-8")
    (base.parent / "other.yaml").write_text("extends: child.yaml\nname: other\n", "utf-8")

    (line,) = told(path)

    assert line.startswith("other.yaml:1:10: extends: 'child.yaml' extends this file, in a circle")

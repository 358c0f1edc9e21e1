"""What each bundled scenario teaches is true: its expectations hold in virtual time, where no machine is too slow.

Each is played once, at its full length; the table in scenarios/README.md is held to the same runs. Live runs of
all of them are in tests/e2e/test_twin.py.
"""

import re
from collections import Counter

import pytest

from mockbot.evidence.count_run import count_run
from mockbot.scenario.library import find, folder, names
from mockbot.scenario.load import load_scenario
from mockbot.scenario.scale import scaled_to
from mockbot.simulate.library_table import BEGIN, END, KINDS, groups, outcome, replaced, table
from mockbot.simulate.outage_pages import list_page, outage_page
from mockbot.simulate.simulation import Memory, simulate

NUMBER = re.compile(r"\d+(?:\.\d+)?")
TOLERANCE = 2.0  # percent, seconds, requests: another libm may round a chance the other way


@pytest.mark.second
@pytest.mark.parametrize("name", names())
def test_a_bundled_scenario_passes_in_virtual_time(name: str) -> None:
    """The difference between its groups is what the file says it is, and every fault was felt."""
    judgement = outcome(name)

    assert judgement.verdict == "pass", "\n".join(judgement.reasons)


@pytest.mark.second
@pytest.mark.parametrize("name", names())
def test_no_fault_is_felt_by_luck(name: str) -> None:
    """Ten requests at least met each, so that a live run, one draw, will hardly miss it (Poisson: 1 in 20,000)."""
    felt = {guard.name: guard.says for guard in outcome(name).checks if guard.name.startswith("felt ")}

    hits = {fault: int(re.findall(r"hit ([\d,]+) ", says)[0].replace(",", "")) for fault, says in felt.items()}

    assert {fault: hit for fault, hit in hits.items() if hit < 10} == {}


@pytest.mark.parametrize("name", names())
def test_three_kinds_of_clients_suffer_every_outage(name: str) -> None:
    """A naive one, SDK defaults, a careful one; and the file expects something of at least one of them."""
    made = load_scenario(find(name))

    played = groups(made)

    assert set(played) == set(KINDS)
    assert len(set(played.values())) == 3
    assert {expected.group for expected in made.expect} & set(played.values())


@pytest.mark.second
def test_the_table_of_outcomes_is_current() -> None:
    """`python -m mockbot.simulate.library_table scenarios/README.md` when this fails."""
    written = (folder("scenarios") / "README.md").read_text("utf-8").split(BEGIN)[1].split(END)[0]

    made = table()

    assert NUMBER.sub("#", written) == NUMBER.sub("#", made)
    pairs = zip(NUMBER.findall(written), NUMBER.findall(made), strict=True)
    assert [pair for pair in pairs if abs(float(pair[0]) - float(pair[1])) > TOLERANCE] == []


@pytest.mark.second
def test_complaints_of_april_2024_come_in_the_order_in_which_they_came() -> None:
    """Downdetector had 303 in the quarter of an hour up to 17:37, 4,428 at 19:22, 1,410 at 20:37 and 285 at 20:52."""
    memory = Memory()
    scenario = scaled_to(load_scenario(find("chatgpt-2024-04-10")), 1200).scenario
    info = simulate(scenario, sink=memory.take, engine="reference")
    counted = count_run(memory.evidence(scenario, info))
    made = Counter[int]()
    for key, course in counted.courses.items():
        if not key.provider:
            made.update({int(second // 60): count for second, count in course.complaints.items()})

    def quarter(until: int) -> int:  # minutes after 17:00
        return sum(made[minute] for minute in range(until - 15, until))

    first, peak, late, last = map(quarter, (37, 142, 217, 232))

    assert peak > 1.5 * late > 1.5 * last > 0
    assert 0 < first < late


@pytest.mark.second
@pytest.mark.parametrize("name", names())
def test_the_page_of_an_outage_is_current(name: str) -> None:
    """`python -m mockbot.simulate.outage_pages docs/outages` when this fails."""
    written = (folder("scenarios").parent / "docs" / "outages" / f"{name}.md").read_text("utf-8")
    made = outage_page(name)

    assert NUMBER.sub("#", written) == NUMBER.sub("#", made)
    pairs = zip(NUMBER.findall(written), NUMBER.findall(made), strict=True)
    assert [pair for pair in pairs if abs(float(pair[0]) - float(pair[1])) > TOLERANCE] == []


def test_the_list_of_outages_is_current() -> None:
    """`python -m mockbot.simulate.outage_pages docs/outages` when this fails."""
    written = (folder("scenarios").parent / "docs" / "outages" / "README.md").read_text("utf-8")

    assert written == list_page()


def test_a_table_is_put_between_its_marks() -> None:
    """Whatever stood there; all else stays."""
    page = f"before\n{BEGIN}old\n{END}\nafter\n"

    assert replaced(page, "| new |") == f"before\n{BEGIN}| new |{END}\nafter\n"

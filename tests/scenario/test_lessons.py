"""What each bundled scenario teaches is true: its expectations hold in virtual time, where no machine is too slow.

The live runs of the three causes are in tests/e2e; here every file is held to the simulator, at its full length.
"""

import pytest

from mockbot.evidence.verdict import judge
from mockbot.scenario.library import find, names
from mockbot.scenario.load import load_scenario
from mockbot.simulate.play import Memory, simulate

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", names())
def test_a_bundled_scenario_passes_in_virtual_time(name: str) -> None:
    """The difference between its groups is what the file says it is, and every fault was felt."""
    scenario, memory = load_scenario(find(name)), Memory()

    info = simulate(scenario, sink=memory.take)

    judgement = judge(memory.evidence(scenario, info))
    assert judgement.verdict == "pass", "\n".join(judgement.reasons)

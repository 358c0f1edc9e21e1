"""The hits of a fault that no component counts: refused attempts where no process listens; on a proxy without counts,
attempts under way while it held, by its share.
"""

import pytest

from mockbot.evidence.exposure import exposed
from mockbot.evidence.journal import RunEvidence
from mockbot.evidence.records import Action, Attempt, ServiceSecond
from mockbot.evidence.validity import ValidityCheck
from mockbot.evidence.verdict import judge
from mockbot.simulate.simulation import Memory, simulate
from tests.evidence.build import AFTER, CALM, actions, attempt, evidence, scenario, sound_run

SLOW = "blackout.0.latency"
BEGIN, END = actions(SLOW)


def run_with(
    *attempts: Attempt, did: tuple[Action, ...] = (BEGIN, END), engine: str = "toxiproxy", **fault: object
) -> RunEvidence:
    """100 s of calm, 100 s of latency on the wire, 200 s after."""
    outage = {"name": "blackout", "lasts": "100s", "faults": [{"latency": "1s", **fault}]}
    told = scenario(phases=[CALM, outage, AFTER], providers={"main": {"slots": 10}, "other": {"slots": 10}})
    return evidence([*sound_run(), *attempts], of=told, did=did, engine=engine)


@pytest.mark.parametrize(
    ("tried", "hits"),
    [
        (attempt(150.0), 1),
        (attempt(99.5, took=1.0), 1),
        (attempt(199.5, took=1.0), 1),
        (attempt(90.0, took=200.0, outcome="unfinished"), 1),
        (attempt(50.0), 0),
        (attempt(200.5), 0),
        (attempt(150.0, provider="other"), 0),
        (attempt(150.0, outcome="refused"), 0),
    ],
    ids=["in it", "into it", "out of it", "all along", "before", "after", "elsewhere", "refused"],
)
def test_an_attempt_under_way_while_the_fault_held_counts(tried: Attempt, hits: int) -> None:
    """At the fault's own provider, and only when the proxy accepted the connection."""
    assert exposed(run_with(tried))[SLOW] == hits


def test_a_fault_on_the_system_meets_every_attempt() -> None:
    """All of them are at the system, whatever provider their group has."""
    assert exposed(run_with(attempt(150.0), attempt(150.0, provider="other"), on="system"))[SLOW] == 2


def test_a_restart_is_felt_by_whoever_is_turned_away_meanwhile() -> None:
    """At any provider, from its confirmed begin to its confirmed end."""
    outage = {"name": "blackout", "lasts": "100s", "faults": [{"restart": {"down": "20s"}}]}
    tried = [
        attempt(105.0, 0.0, "refused"),
        attempt(110.0, 0.1, "closed", provider="other"),
        attempt(125.0, 0.0, "refused"),
    ]
    did = actions("blackout.0.restart", begin=100.0, end=120.0)
    run = evidence(
        [*sound_run(), *tried], of=scenario(phases=[CALM, outage, AFTER], providers={"main": {}, "other": {}}), did=did
    )

    judged = judge(run)

    assert (judged.faults[0].provider, judged.faults[0].felt) == ("system", 2)
    assert [(each.begin, each.clear) for each in judged.outages][:1] == [(100.0, 120.0)]


def test_what_counts_is_when_it_was_confirmed() -> None:
    """A begin that was confirmed 10 s late exposed no attempt before."""
    late = Action(SLOW, "begin", 100.0, 100.0, 110.0)

    assert exposed(run_with(attempt(105.0), attempt(115.0), did=(late, END)))[SLOW] == 1


def test_a_fault_that_was_never_confirmed_exposed_nobody() -> None:
    """Every attempt that was in progress counts."""
    failed = Action(SLOW, "begin", 100.0, 100.0, None, "no answer")

    assert exposed(run_with(attempt(150.0), did=(failed, END)))[SLOW] == 0


def test_a_fault_whose_end_was_never_confirmed_went_on() -> None:
    """What came after it was due to end is still exposed."""
    assert exposed(run_with(attempt(250.0), did=(BEGIN,)))[SLOW] == 1


def test_a_flapping_fault_counts_only_while_it_is_on() -> None:
    """Two spells, and the pause between them."""
    spells = (*actions(SLOW, begin=100.0, end=120.0), *actions(SLOW, begin=160.0, end=180.0))

    assert exposed(run_with(attempt(110.0), attempt(140.0), attempt(170.0), did=spells))[SLOW] == 2


@pytest.mark.parametrize(("tries", "hits"), [(3, 0), (4, 1), (40, 10)])
def test_attempts_count_with_the_share(tries: int, hits: int) -> None:
    """A quarter of the connections: of 4 attempts one was hit on average, of 3 none for certain."""
    assert exposed(run_with(*(attempt(150.0 + n) for n in range(tries)), share="25%"))[SLOW] == hits


def test_a_ramp_counts_as_it_was_at_that_moment() -> None:
    """With a share from 0 to 100 % late attempts count more than early ones."""
    early = exposed(run_with(*(attempt(105.0, took=0.1) for _ in range(10)), share="0% -> 100%"))[SLOW]
    late = exposed(run_with(*(attempt(195.0, took=0.1) for _ in range(10)), share="0% -> 100%"))[SLOW]

    assert (early, late) == (0, 9)


def test_a_proxy_that_can_tell_is_believed() -> None:
    """With the embedded engine only what it counted is a hit."""
    assert exposed(run_with(attempt(150.0), engine="embedded")) == {}


@pytest.mark.parametrize(
    ("tried", "verdict"), [(attempt(150.0), "pass"), (attempt(50.0), "inconclusive")], ids=["felt", "not felt"]
)
def test_exposure_decides_whether_a_run_on_toxiproxy_says_anything(tried: Attempt, verdict: str) -> None:
    """One exposed attempt is enough; with none the check fails."""
    judgement = judge(run_with(tried))

    assert judgement.verdict == verdict
    assert any(guard.name == f"felt {SLOW}" for guard in judgement.checks)


DOWN = scenario(phases=[CALM, {"name": "cut", "lasts": "100s", "faults": [{"down": True}]}, AFTER])
CUT = "cut.0.down"
TURNED_AWAY = [
    *(attempt(150.0 + n, 0.01, "refused") for n in range(3)),
    attempt(98.0, 2.5, "reset"),  # under way when the way was cut
    attempt(99.0, 0.5, "refused"),
    attempt(250.0, 0.01, "refused"),
    attempt(150.0, 0.01, "refused", provider="other"),
    attempt(150.0, 0.01, "http_error", status=503),
]


def test_clients_that_were_turned_away_felt_it() -> None:
    """Three refused and one cut off while nothing listened: 4, in the summary as in the validity check."""
    run = evidence([*sound_run(), *TURNED_AWAY], of=DOWN, did=actions(CUT))
    judgement = judge(run)
    (fault,) = judgement.faults

    assert fault.felt == 4
    assert ValidityCheck(f"felt {CUT}", ok=True, says=f"{CUT} hit 4 requests") in judgement.checks


def test_who_is_refused_between_two_spells_did_not_feel_them() -> None:
    """A flapping `down`: on for 20 s, off for 40 s, on for 20 s."""
    spells = (*actions(CUT, begin=100.0, end=120.0), *actions(CUT, begin=160.0, end=180.0))
    tried = [attempt(at, 0.01, "refused") for at in (110.0, 140.0, 170.0)]

    assert judge(evidence([*sound_run(), *tried], of=DOWN, did=spells)).faults[0].felt == 2


def test_what_a_crashed_service_counted_itself_is_not_counted_twice() -> None:
    """It reset 9 connections; the clients saw 2 of them."""
    told = scenario(phases=[CALM, {"name": "cut", "lasts": "100s", "faults": [{"crash": True}]}, AFTER])
    seconds = [ServiceSecond(150, "main", felt={"cut.0.crash": 9})]
    tried = [attempt(150.0 + n, 0.01, "reset") for n in range(2)]

    run = evidence([*sound_run(), *tried], seconds, of=told, did=actions("cut.0.crash"))

    assert judge(run).faults[0].felt == 9


def test_a_whole_run_with_its_way_cut_has_been_felt() -> None:
    """A simulated crowd's own journal: every refused and reset attempt of it is a hit, and nothing else was wrong."""
    memory = Memory()
    info = simulate(DOWN, seed=1, sink=memory.take, engine="reference")
    judgement = judge(memory.evidence(DOWN, info))

    turned_away = judgement.outcomes["refused"] + judgement.outcomes.get("reset", 0)
    assert judgement.faults[0].felt == turned_away > 50

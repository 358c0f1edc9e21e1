"""Users who read the status page: they stop asking while it shows an incident, and come back as it says."""

from random import Random
from typing import Any

import pytest

from mockbot.clients.policy import GiveUp
from mockbot.scenario.schema import StatusUpdate
from mockbot.scenario.timeline import StatusState
from tests.clients.play import DOWN, OK, Page, Told, answers, play, policies

WORDS = {"name": "informed", "look": "1m", "return_within": "2m"}


def _page(*, since: float = 0.0, until: float = 1200.0, **says: Any) -> Page:
    """An incident that the page shows from `since` to `until`, with what it says about it."""
    update = StatusUpdate.model_validate({"at": "0s", "state": "investigating", **says})
    after = StatusUpdate(at="20m", state="resolved")
    return lambda now: None if now < since else StatusState(since, update) if now < until else StatusState(until, after)


def _ask(page: Page, *, seed: int = 1, up_at: float = 1200.0, start: float = 0.0, **facts: Any) -> Told:
    client = policies({**WORDS, **facts.pop("words", {})}, **facts).new_client(Random(seed))

    return play(client, lambda send: OK if send.at >= up_at else DOWN, start, page=page)


def test_nothing_is_sent_while_the_page_shows_an_incident() -> None:
    """One failed attempt, a look at the page, and then nothing for the twenty minutes until it is resolved."""
    told = _ask(_page())

    assert len(told.sends) == 2
    assert 1200 <= told.sends[1].at <= 1200 + 90 + 120
    assert told.gave_up is None


def test_they_come_back_spread_out() -> None:
    """After the incident's end a hundred of them arrive over more than two minutes, not together."""
    back = [_ask(_page(), seed=seed).sends[1].at for seed in range(100)]

    assert max(back) - min(back) > 100
    assert len({round(at) for at in back}) > 50


def test_told_when_it_is_back_they_wait_exactly_so_long() -> None:
    """`back_in: 15m`: everyone waits until then and up to two minutes more, whatever the page still shows."""
    back = [
        _ask(_page(since=60.0, back_in="15m"), seed=seed, start=100.0, up_at=0.0 + 900).sends[1].at
        for seed in range(50)
    ]

    assert min(back) >= 960
    assert max(back) <= 960 + 120


def test_a_promise_that_was_not_kept_is_tried_once() -> None:
    """Back in 5 minutes, it said, but it is not: one attempt then, and after it a look about every minute."""
    told = _ask(_page(back_in="5m"))

    assert len(told.sends) == 3
    assert 300 <= told.sends[1].at <= 420
    assert told.sends[2].at >= 1200


def test_who_knows_of_an_incident_does_not_even_begin() -> None:
    """The next prompt of a user who read about it sends nothing, and fails when the patience is over."""
    client = policies(WORDS, patience="2m").new_client(Random(1))
    told = [play(client, answers(DOWN), start, page=_page()) for start in (0.0, 200.0)]

    assert [len(prompt.sends) for prompt in told] == [1, 0]
    assert told[1].gave_up == GiveUp(320.0, "patience")


@pytest.mark.parametrize("page", [lambda _: None, _page(since=5000.0)], ids=["no page", "nothing on it yet"])
def test_without_news_they_back_off(page: Page) -> None:
    """An empty status page says nothing against trying: eight attempts, as `backoff`."""
    assert len(_ask(page, up_at=9e9).sends) == 8


@pytest.mark.parametrize("says", [{"state": "monitoring"}, {"state": "scheduled"}, {"provider": "other"}])
def test_only_an_open_incident_of_their_provider_holds_them(says: dict[str, Any]) -> None:
    """A fix that is being watched, an announcement, another provider's trouble: they go on at their own pace."""
    told = _ask(_page(**says), up_at=9e9)

    assert len(told.sends) == 8
    assert told.ended < 300

"""What a user makes of a status page that misleads: what cannot be read is unknown, neither an outage nor its end."""

from random import Random

import pytest

from mockbot.clients.status import StatusReader
from mockbot.scenario.schema import StatusUpdate
from mockbot.scenario.timeline import StatusState


def shown(state: str = "identified", **values: object) -> StatusState:
    return StatusState(0.0, StatusUpdate.model_validate({"at": "0s", "state": state, **values}))


def reader(*pages: StatusState | None) -> StatusReader:
    """A user whose attempt failed while the page showed each of these."""
    user = StatusReader(look=60.0, return_within=30.0)
    for page in pages:
        user.failed("main", page)
    return user


@pytest.mark.parametrize("page", ["still_green", "empty", "moved"])
def test_a_page_that_hides_the_outage_holds_nobody_back(page: str) -> None:
    """The user goes on as one who has no page."""
    assert reader(shown(page=page)).hold(1.0, "main", shown(page=page), Random(1)) == 0.0


@pytest.mark.parametrize("page", ["empty", "moved"])
def test_what_cannot_be_read_is_not_the_end(page: str) -> None:
    """Whoever waited tries at once, and is not spread over the time after an end that nobody announced."""
    assert reader(shown()).hold(1.0, "main", shown(page=page), Random(1)) == 0.0


def test_a_green_page_is_the_end_for_whoever_believes_it() -> None:
    """They come back within their time."""
    assert 0.0 < reader(shown()).hold(1.0, "main", None, Random(1)) <= 30.0


def test_an_incident_that_is_linked_to_everything_holds_back_the_users_of_what_works() -> None:
    """They cannot know that their provider is well."""
    linked, other = shown(provider="other", page="linked"), shown(provider="other")

    assert reader(linked).hold(1.0, "main", linked, Random(1)) > 0.0
    assert reader(other).hold(1.0, "main", other, Random(1)) == 0.0

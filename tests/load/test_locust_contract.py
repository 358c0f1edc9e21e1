"""The contract with the installed Locust, whose private names mockbot uses."""

from tests.load.conftest import Inside


def test_locust_has_every_private_name_that_we_use(inside: Inside) -> None:
    """A release that moves one makes this fail with a sentence: which release, which name, where we use it."""
    assert inside("contract") == []

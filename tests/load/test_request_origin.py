"""The web UI starts and stops runs for its own page and for programs, and for no page of another site."""

import pytest

from mockbot.load.web_ui.request_origin import is_foreign
from tests.load.conftest import Inside

HERE = {"Host": "127.0.0.1:8089"}


@pytest.mark.parametrize(
    ("headers", "web_host"),
    [
        (HERE, "127.0.0.1"),  # curl
        ({"Host": "localhost:8089", "Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8089"}, "127.0.0.1"),
        ({**HERE, "Sec-Fetch-Site": "none"}, "127.0.0.1"),
        ({"Host": "[::1]:8089"}, "::1"),
        ({"Host": "lab:8089", "Origin": "http://lab:8089"}, ""),  # by its name in a network, without TLS
        ({"Host": "127.0.0.1:8089", "Origin": "https://lab", "Sec-Fetch-Site": "same-origin"}, ""),  # behind a proxy
    ],
)
def test_its_own_page_and_programs_are_served(headers: dict[str, str], web_host: str) -> None:
    """Whatever the UI is called."""
    assert not is_foreign(headers, web_host, page=False)


@pytest.mark.parametrize(
    ("headers", "web_host"),
    [
        ({**HERE, "Origin": "https://evil.example"}, "127.0.0.1"),
        ({**HERE, "Origin": "null"}, "127.0.0.1"),  # a sandboxed frame
        ({**HERE, "Sec-Fetch-Site": "cross-site"}, "127.0.0.1"),
        ({**HERE, "Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:3000"}, "127.0.0.1"),  # another port
        ({"Host": "evil.example:8089", "Sec-Fetch-Site": "same-origin"}, "127.0.0.1"),  # DNS rebinding
        ({}, "127.0.0.1"),
        ({"Host": "lab:8089", "Origin": "http://evil.example"}, ""),
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], web_host: str) -> None:
    """By what their browser says of them."""
    assert is_foreign(headers, web_host, page=False)


def test_a_link_from_elsewhere_opens_the_page_and_does_nothing_else() -> None:
    """Navigation is no danger for a page, and is one for /stop, which Locust answers to GET."""
    linked = {**HERE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert not is_foreign(linked, "127.0.0.1", page=True)
    assert is_foreign(linked, "127.0.0.1", page=False)


def test_the_web_ui_refuses_before_anything_is_chosen(inside: Inside) -> None:
    """Refused, and whether the start reached the choice of a scenario."""
    assert inside("foreign") == {
        "a program": [False, True],
        "its page": [False, True],
        "another site": [True, False],
        "another name": [True, False],
        "another site asks": [True, False],
    }

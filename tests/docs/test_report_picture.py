"""The picture of README is the page of today: made by one command, and small."""

from pathlib import Path

import pytest

from tests.chromium import needs_chromium
from tests.docs.report_picture import WIDTH, picture_of

PICTURE = Path(__file__).parents[2] / "docs" / "report.webp"
MOST_BYTES = 200_000


def webp_width(picture: bytes) -> int:
    """The canvas width, in pixels, of the extended format, which the browser writes (RFC 9649, section 2.7)."""
    assert (picture[:4], picture[8:16]) == (b"RIFF", b"WEBPVP8X")
    return int.from_bytes(picture[24:27], "little") + 1


def test_the_picture_in_the_readme_is_as_the_command_makes_it() -> None:
    """`python -m tests.docs.report_picture docs/report.webp` when this fails."""
    picture = PICTURE.read_bytes()

    assert webp_width(picture) == WIDTH
    assert len(picture) < MOST_BYTES


@pytest.mark.second
@needs_chromium
def test_a_page_that_has_been_drawn_becomes_a_picture(tmp_path: Path) -> None:
    """As wide as README's."""
    page = tmp_path / "report.html"
    page.write_text("<html data-drawn=yes><h1>pass</h1></html>", "utf-8")

    assert webp_width(picture_of(page)) == WIDTH

"""Two processes share a token by naming the same file."""

import stat
from pathlib import Path

import pytest

from mockbot.errors import UsageError
from mockbot.process.token_file import read_or_create_token, read_token


def test_the_first_process_makes_the_token_and_the_second_reads_it(tmp_path: Path) -> None:
    """Both have the same one, and nobody but the owner may read the file."""
    file = tmp_path / "token"

    made = read_or_create_token(file)

    assert made
    assert read_or_create_token(file) == read_token(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_without_a_token_is_refused(tmp_path: Path) -> None:
    """Missing or empty: the sentence names the file."""
    empty = tmp_path / "empty"
    empty.touch()

    for file in (empty, tmp_path / "missing"):
        with pytest.raises(UsageError, match=file.name):
            read_token(file)

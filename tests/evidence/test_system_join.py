"""Both sides of a system, joined prompt by prompt, and what each answer is by its text."""

from dataclasses import replace

import pytest

from mockbot.dialects.identified_text import Piece
from mockbot.evidence.records import Outcome
from mockbot.evidence.system_join import WAYS, Kind, Way
from mockbot.evidence.system_records import End
from tests.evidence.system_build import CHAT, Journal, ask, piece


@pytest.mark.parametrize("way", WAYS)
def test_each_way_alone_joins_every_request(way: Way) -> None:
    """A system that keeps only the header, only the trace or only the text shows as much as one that keeps all."""
    journal = Journal()
    for at in range(10):
        journal.asked(float(at), ask(outcome="http_error", status=503), ask("other"))

    joined = journal.joined([way])

    assert joined.share == 1.0
    assert joined.ways == {way: 20}
    assert [len(each.upstream) for each in joined.exchanges] == [2] * 10


def test_a_request_that_names_no_prompt_is_counted_by_path() -> None:
    """Only requests for text count against the share that was joined."""
    journal = Journal()
    journal.asked(0.0, ask(), ask())
    stranger = replace(journal.requests[0], prompt="other-run", trace=None, mark=None)
    journal.requests += [stranger, replace(stranger, prompt=None, path="/v1/embeddings")]

    joined = journal.joined()

    assert joined.alone == {CHAT: 1, "/v1/embeddings": 1}
    assert joined.share == pytest.approx(2 / 3)


def test_nothing_joined_is_no_share() -> None:
    """A system that never asked a provider."""
    assert Journal().joined().share is None


def test_of_two_prompts_with_one_mark_the_one_under_way_is_meant() -> None:
    """And the wrong guess between them must not look like a mix-up."""
    journal = Journal()
    first, second = journal.asked(0.0, ask()), journal.asked(10.0, ask(), user="another")
    journal.answers = [replace(answer, mark="same") for answer in journal.answers]
    journal.requests = [replace(request, mark="same") for request in journal.requests]
    journal.requests.append(replace(journal.requests[0], start=11.0, end=11.5))  # a late one of the first prompt

    joined = journal.joined(["mark"])

    assert {each.prompt.id: len(each.upstream) for each in joined.exchanges} == {first: 1, second: 2}
    assert {each.kind for each in joined.exchanges} == {"whole"}


ALL, CUT = 20, 7
# what the last answer was -> its kind
KINDS: list[tuple[list[int], End, Outcome, int | None, str, Kind]] = [
    ([ALL], "claimed", "ok", 200, "", "whole"),
    ([ALL], "silent", "ok", 200, "", "whole"),
    ([ALL, ALL], "claimed", "ok", 200, "", "whole"),  # an agent that asked twice
    ([CUT], "claimed", "ok", 200, "", "laundered"),
    ([CUT], "silent", "truncated", 200, "", "silently_short"),
    ([CUT, ALL], "claimed", "ok", 200, "", "spliced"),
    ([CUT], "broken", "reset", 200, "", "broken"),
    ([], "claimed", "ok", 200, "a summary", "unrecognised"),
    ([], "claimed", "blank", 200, "", "blank"),
    ([], "broken", "http_error", 502, "", "refused"),
    ([], "broken", "rate_limited", 429, "", "refused"),
    ([], "broken", "timeout", None, "", "failed"),
    ([], "broken", "refused", None, "", "failed"),
]


@pytest.mark.parametrize(("kept", "end", "outcome", "status", "text", "kind"), KINDS)
def test_an_answer_is_what_its_text_says(
    kept: list[int], end: End, outcome: Outcome, status: int | None, text: str, kind: Kind
) -> None:
    """Whatever its headers claim."""
    journal = Journal()
    pieces = [Piece("main", "p0main", words, ALL) for words in kept]

    journal.asked(0.0, ask(), end=end, outcome=outcome, status=status, pieces=pieces, text=text)

    assert journal.joined().exchanges[0].kind == kind


def test_a_text_that_no_provider_had_written_is_canned() -> None:
    """Every provider failed, and the user was answered all the same."""
    journal = Journal()
    journal.asked(0.0, ask(outcome="http_error", status=503), text="We are busy.", pieces=[])
    journal.asked(1.0, ask(), text="Sorry.", pieces=[], degraded=True)  # by the system file's own rule

    assert [each.kind for each in journal.joined().exchanges] == ["canned", "canned"]


def test_the_answer_to_another_prompt_is_stale_or_crossed() -> None:
    """Of the same user a cache, of another user a leak."""
    journal = Journal()
    earlier = journal.asked(0.0, ask(), user="ann")
    journal.asked(5.0, pieces=[piece(earlier)], user="ann")
    journal.asked(6.0, pieces=[piece(earlier)], user="bob")

    assert [each.kind for each in journal.joined().exchanges] == ["whole", "stale", "crossed"]


def test_a_transcript_is_no_stale_answer() -> None:
    """Earlier answers of the same user beside the one that was asked for."""
    journal = Journal()
    earlier = journal.asked(0.0, ask(), user="ann")
    journal.asked(5.0, ask(), pieces=[piece(earlier), piece("p1")], user="ann")

    assert [each.kind for each in journal.joined().exchanges] == ["whole", "whole"]


def test_what_nobody_is_known_to_have_written_accuses_nobody() -> None:
    """The request of that text could not be joined."""
    journal = Journal()
    journal.asked(0.0, ask(), pieces=[Piece("main", "zzzzzzzz", ALL, ALL)])

    assert journal.joined().exchanges[0].kind == "whole"

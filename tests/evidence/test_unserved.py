"""What clients asked for and mockbot does not do: counted by the second, told with the verdict."""

from dataclasses import replace

from mockbot.evidence.records import ServiceSecond
from mockbot.evidence.unserved import key_of, sentences
from mockbot.evidence.verdict import judge
from tests.evidence.build import evidence, scenario


def test_every_kind_is_one_sentence_with_its_counts() -> None:
    """The most frequent comes first, and what is served instead is named."""
    counts = {"parameter modalities": 1, "parameter logit_bias": 41, "url POST /v1/batches": 2, "model llama": 1}

    parameters, urls, models = sentences(counts, scenario())

    assert parameters.startswith(
        "your client asked for `logit_bias` (41 times), `modalities` (1 time), which mockbot does not do"
    )
    assert urls.startswith("2 requests to POST /v1/batches, which mockbot does not serve; it serves /v1/chat/compl")
    assert models.startswith("1 request for the model llama, which mockbot does not serve; it serves gpt-")
    assert not sentences({}, scenario())


def test_paths_that_differ_in_an_id_are_one() -> None:
    """A client that polls does not fill the verdict; control characters do not reach a terminal."""
    assert key_of("url", "GET /v1/files/file-0123456789abcdef") == "url GET /v1/files/ID"
    assert key_of("model", "\x1b[2J") == "model ?[2J"


def test_the_verdict_names_them_whatever_it_is() -> None:
    """Counts of all seconds are added up, behind the other reasons."""
    seconds = [ServiceSecond(250 + n, "main", unserved={"url GET /v1/files": 2}) for n in range(3)]

    judgement = judge(evidence(seconds=seconds))

    assert judgement.reasons[-1].startswith("6 requests to GET /v1/files, which mockbot does not serve")


def test_a_run_without_its_real_answers_is_inconclusive() -> None:
    """No connection, nothing left to spend, or not recorded: the reason is told once."""
    real = scenario(providers={"main": {"upstream": "real"}})
    counts = {"upstream Connection refused": 2, "spend --spend 5": 3, "replay POST /v1/x (nearest: line 4)": 1}

    judgement = judge(evidence(seconds=[ServiceSecond(250, "main", unserved=counts)], of=real))

    assert judgement.verdict == "inconclusive"
    (told,) = [reason for reason in judgement.reasons if "upstream" in reason]
    assert told == (
        "2 requests got no connection to the upstream: Connection refused; see --upstream; "
        "3 requests beyond --spend 5 got no real answer: allow more, or shorten the scenario; "
        "1 request without a recorded answer, POST /v1/x (nearest: line 4): record anew, or see --replay-ignore; "
        "then run again"
    )


def test_a_client_that_asked_nothing_may_have_asked_somebody_else() -> None:
    """Variables that lead clients of other providers away are named, and only then."""
    silent = evidence(requests=[])
    silent = replace(silent, info=replace(silent.info, elsewhere=("AZURE_OPENAI_ENDPOINT", "GEMINI_API_KEY")))

    reasons = judge(silent).reasons

    assert any("AZURE_OPENAI_ENDPOINT, GEMINI_API_KEY" in reason for reason in reasons if "no prompt" in reason)

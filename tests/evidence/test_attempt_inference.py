"""Which requests belong to one prompt, from the records of providers alone."""

from dataclasses import replace

from mockbot.evidence.attempt_inference import Wire, journal_of
from mockbot.evidence.records import Attempt, Outcome, Prompt, Request

A = Request(0, "main", "/v1/chat/completions", "sk-free-1", "body", 0.0, 1.0, "ok", 200, port=1)


def seen(
    *rows: tuple[float, float, Outcome], key: str = "sk-free-1", body: str = "body", retries: bool = False
) -> list[Request]:
    """Requests one after the other; `retries`: with an SDK's own count."""
    return [
        replace(
            A, number=n, start=start, end=end, outcome=outcome, key=key, body=body, port=n, retry=n if retries else None
        )
        for n, (start, end, outcome) in enumerate(rows)
    ]


def prompts(requests: list[Request], *wires: Wire) -> list[Prompt]:
    return [line for line in journal_of(requests, wires, "command") if isinstance(line, Prompt)]


def attempts(requests: list[Request], *wires: Wire) -> list[Attempt]:
    return [line for line in journal_of(requests, wires, "command") if isinstance(line, Attempt)]


def test_the_same_question_after_a_failure_is_the_same_prompt() -> None:
    """A program without any headers asks again what failed: one prompt, three attempts."""
    told = prompts(seen((0, 1, "http_error"), (2, 3, "reset"), (4, 5, "ok")))

    assert [(prompt.attempts, prompt.settled, prompt.end) for prompt in told] == [(3, "answered", 5)]


def test_the_same_question_after_an_answer_is_a_new_prompt() -> None:
    """A prompt ends with its answer; the same question is a new one."""
    assert [prompt.attempts for prompt in prompts(seen((0, 1, "ok"), (2, 3, "ok")))] == [1, 1]


def test_the_same_question_much_later_is_a_new_prompt() -> None:
    """More than two minutes after the failure the same question is a new prompt."""
    assert [prompt.settled for prompt in prompts(seen((0, 1, "http_error"), (122, 123, "ok")))] == [
        "gave_up",
        "answered",
    ]


def later(seconds: float, *requests: Request) -> list[Request]:
    """The same requests again, after so many seconds."""
    return [
        replace(each, number=each.number + len(requests), start=each.start + seconds, end=each.end + seconds)
        for each in requests
    ]


def test_a_loop_around_an_sdk_goes_on_with_its_prompt() -> None:
    """Each call of the SDK counts from 0 and fails three times; the loop around it makes the same prompt of both."""
    call = seen((0, 1, "http_error"), (2, 3, "http_error"), (4, 5, "http_error"), retries=True)

    assert [prompt.attempts for prompt in prompts([*call, *later(6, *call)])] == [6]


def test_a_loop_around_an_sdk_that_does_not_retry_is_one_prompt() -> None:
    """max_retries=0: every attempt is number 0."""
    rows = [replace(each, retry=0) for each in seen((0, 1, "http_error"), (1, 2, "http_error"), (2, 3, "ok"))]

    assert [(prompt.attempts, prompt.settled) for prompt in prompts(rows)] == [(3, "answered")]


def test_calls_of_an_sdk_at_the_same_time_are_two_prompts() -> None:
    """The second one begins between two attempts of the first: an SDK's numbers tell them apart."""
    call = seen((0, 1, "http_error"), (3, 4, "http_error"), (6, 7, "http_error"), retries=True)

    assert [prompt.attempts for prompt in prompts([*call, *later(1.5, *call)])] == [3, 3]


def test_a_call_whose_first_attempts_were_refused_goes_on_with_its_prompt() -> None:
    """The number of its first recorded attempt is the number of those that nobody recorded."""
    one, two = seen((0, 1, "http_error"), (6, 7, "ok"))

    assert [prompt.attempts for prompt in prompts([replace(one, retry=1), replace(two, retry=2)])] == [3]
    assert [prompt.attempts for prompt in prompts([replace(one, retry=2), replace(two, retry=1)])] == [5]


def test_twenty_users_who_ask_the_same_cause_no_storm() -> None:
    """Attempts of many users with the same body and key are distributed evenly over their prompts."""
    rounds = [
        replace(A, number=20 * turn + user, start=10.0 * turn + user / 100, end=10.0 * turn + 5, outcome="http_error")
        for turn in range(4)
        for user in range(20)
    ]

    assert [prompt.attempts for prompt in prompts(rounds)] == [4] * 20


def test_keys_tell_clients_apart() -> None:
    """Another key is another client, also with the same body."""
    assert len(prompts([*seen((0, 1, "http_error")), *seen((2, 3, "ok"), key="sk-plus-2")])) == 2
    assert prompts(seen((0, 1, "ok"), key="sk-plus-2"))[0].tier == "plus"


def test_the_prompt_header_wins_over_everything() -> None:
    """A client that names its prompts decides, even when bodies and retry numbers differ."""
    rows = seen((0, 1, "ok"), (2, 3, "ok"), retries=False)
    named = [replace(request, prompt="p7", body=f"other {request.number}") for request in rows]

    assert [(prompt.id, prompt.attempts) for prompt in prompts(named)] == [("p7", 2)]


def test_a_fail_over_goes_on_with_the_same_prompt() -> None:
    """The same question at another provider, right after the failure, is another attempt for it."""
    one, two = seen((0, 1, "http_error"), (1.1, 2, "ok"))
    told = prompts([one, replace(two, provider="other", retry=0)])

    assert [(prompt.attempts, prompt.provider) for prompt in told] == [(2, "other")]


def test_attempts_that_nobody_saw_were_refused() -> None:
    """An SDK's third attempt arrives first: the two before it were refused."""
    first = replace(A, retry=2)

    assert [(each.n, each.outcome) for each in attempts([first])] == [(0, "refused"), (1, "refused"), (2, "ok")]
    assert prompts([first])[0].attempts == 3


def test_what_the_proxy_cut_off_did_not_arrive() -> None:
    """The provider sent it whole; the connection was reset on the way: for the client it is a reset."""
    assert [each.outcome for each in attempts(seen((0, 1, "ok")), Wire("main", 0, "reset"))] == ["reset"]


def test_a_port_that_is_used_again_is_another_connection() -> None:
    """The cut was noticed before the second request came: its answer, on the same port, arrived in full."""
    one, two = (replace(request, port=9) for request in seen((0, 1, "ok"), (70, 71, "ok")))

    told = attempts([one, two], Wire("main", 9, "reset", before=1))

    assert [each.outcome for each in told] == ["reset", "ok"]


def test_only_the_last_answer_of_a_cut_connection_is_lost() -> None:
    """Earlier answers on the same connection arrived in full."""
    one, two = (replace(request, port=9) for request in seen((0, 1, "ok"), (2, 3, "ok")))

    assert [each.outcome for each in attempts([one, two], Wire("main", 9, "timeout"))] == ["ok", "timeout"]


def test_what_is_still_under_way_is_unfinished() -> None:
    """A request without an end keeps its prompt open, and nothing goes on with it."""
    told = prompts(seen((0, 9, "unfinished"), (2, 3, "ok")))

    assert [prompt.settled for prompt in told] == ["unfinished", "answered"]


def test_a_late_first_token_counts_from_the_first_attempt() -> None:
    """The user waits from the first attempt on, whichever brings the answer."""
    one, two = seen((0, 1, "http_error"), (3, 5, "ok"))

    assert prompts([one, replace(two, first_token=0.5)])[0].first_token == 3.5


def test_later_is_later_by_the_clients_own_clock() -> None:
    """At 300 times the speed half a second of the client's time is no reason to take its retry for a new prompt."""
    requests = seen((0, 1, "http_error"), (151, 152, "ok"))

    assert len(journal_of(requests, (), "command")) == 4
    assert [line.attempts for line in journal_of(requests, (), "command", 300) if isinstance(line, Prompt)] == [2]


def may_retry(*requests: Request, **change: object) -> dict[str, str]:
    """Prompts that may be retries, of requests of which each has words of its own and a connection of its own."""
    rows = [replace(each, body=f"body {each.number}", shape=f"shape {each.number}") for each in requests]
    rows[1:] = [replace(each, **change) for each in rows[1:]]  # type: ignore[arg-type]
    return doubts(rows)


def doubts(requests: list[Request]) -> dict[str, str]:
    return {each.prompt: each.may_retry for each in attempts(requests) if each.may_retry is not None}


def test_other_words_on_a_new_connection_may_be_a_retry() -> None:
    """Nothing tells a retry that is put in other words from the next question."""
    assert may_retry(*seen((0, 1, "http_error"), (2, 3, "ok"))) == {"sk-free-1/1": "sk-free-1/0"}


def test_other_words_on_the_same_connection_are_the_next_question() -> None:
    """A client goes on with its next question, unless it differs only in numbers, or waited as long as it was told."""
    told, after = seen((0, 1, "http_error"), (4, 5, "ok"))
    told = replace(told, retry_after=3.0)

    assert may_retry(replace(told, retry_after=None), after, port=told.port) == {}
    assert may_retry(replace(told, retry_after=3.5), after, port=told.port) == {}
    assert may_retry(told, after, port=told.port) != {}
    assert may_retry(replace(told, retry_after=None), after, port=told.port, shape="shape 0") != {}


def test_a_failure_is_retried_once_at_most() -> None:
    """Of three failures and one request after them, it may be the retry of the last."""
    rows = seen((0, 1, "http_error"), (0, 3, "http_error"), (0, 2, "http_error"), (4, 5, "ok"), (6, 7, "ok"))

    assert may_retry(*rows) == {"sk-free-1/3": "sk-free-1/1", "sk-free-1/4": "sk-free-1/2"}


def test_who_retries_in_the_same_words_does_not_retry_in_others() -> None:
    """One prompt with two attempts shows how the client retries."""
    rows = [*seen((0, 1, "http_error"), (2, 3, "http_error")), replace(A, number=2, start=4, body="other", port=7)]

    assert doubts(rows) == {}


def test_a_client_that_names_its_prompts_leaves_no_doubt() -> None:
    """Its header says which requests belong together."""
    assert may_retry(*seen((0, 1, "http_error"), (2, 3, "ok")), prompt="p2") == {}


def test_the_same_words_answered_meanwhile_may_be_a_hedge() -> None:
    """Begun before the failure and answered after it: two users, or one who asked twice to be sure."""
    assert doubts(seen((0, 5, "timeout"), (3, 6, "ok"))) == {"sk-free-1/1": "sk-free-1/0"}
    assert doubts(seen((0, 5, "timeout"), (3, 6, "timeout"))) == {}


def test_two_clients_may_give_their_prompts_the_same_names() -> None:
    """Each keeps its own prompt, and no id is on record twice."""
    named = [replace(request, prompt="p1") for request in (*seen((0, 1, "ok")), *seen((2, 3, "ok"), key="sk-plus-2"))]

    assert [each.id for each in prompts(named)] == ["p1", "sk-plus-2/p1"]

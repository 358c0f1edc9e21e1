"""One provider without I/O: what is counted as what."""

from collections import Counter
from typing import Any

import pytest

from mockbot.evidence.records import ServiceSecond
from mockbot.faults.base import ServiceFault
from mockbot.faults.capacity import Capacity
from mockbot.faults.crash import Crash
from mockbot.faults.http_error import HttpError
from mockbot.faults.rate_limited import RateLimited
from mockbot.faults.shed import Shed
from mockbot.faults.slow import Slow
from mockbot.service.active_faults import Failed
from mockbot.service.answer_text import fingerprint
from mockbot.service.chatbot import Answer, Caller, Chatbot, TokenCounts
from mockbot.service.job import Refused
from tests.service.values import active, provider_of

FREE = Caller("sk-free-1", "free")
PLUS = Caller("sk-plus-1", "plus")


def chatbot_of(*faults: ServiceFault, **provider: Any) -> Chatbot:
    """A chatbot whose every answer takes one second."""
    answer = {"first_token": "1s", "tokens": {"median": 1, "p95": 1}}
    chatbot = Chatbot("main", provider_of(**{"answer": answer, **provider}), seed=1)
    chatbot.set_faults([active(fault) for fault in faults], 0.0)
    return chatbot


def outcomes(chatbot: Chatbot, n: int, caller: Caller = FREE, now: float = 0.0) -> Counter[str]:
    """What becomes of n requests asked at once."""
    asked = [chatbot.ask(caller, fingerprint(1, str(i).encode()), now) for i in range(n)]
    return Counter("admitted" if isinstance(each, Answer) else type(each).__name__.lower() for each in asked)


def total(chatbot: Chatbot, until: float = 100.0) -> ServiceSecond:
    """All seconds as one."""
    chatbot.capacity.advance(until)
    sums: Counter[str] = Counter()
    felt: Counter[str] = Counter()
    for second in chatbot.stats.seconds():
        felt.update(second.felt)
        sums.update({name: getattr(second, name) for name in ("offered", "admitted", "refused", "failed", "finished")})
    return ServiceSecond(0, "main", felt=dict(felt), unserved={}, **sums)


def test_an_error_fault_fails_and_is_felt_by_each_it_hits() -> None:
    """Failed, not refused; nothing is admitted."""
    chatbot = chatbot_of(HttpError.model_validate({"http_error": 500}))

    assert outcomes(chatbot, 3) == {"failed": 3}
    assert total(chatbot) == ServiceSecond(0, "main", offered=3, failed=3, felt={"http_error": 3})


def test_a_broken_limiter_is_a_fault_and_a_real_limit_is_a_refusal() -> None:
    """Both are 429 on the wire, and told apart in the stats."""
    broken = chatbot_of(RateLimited.model_validate({"rate_limited": True}))
    limited = chatbot_of(limits={"free": "1/m"})

    assert outcomes(broken, 2) == {"failed": 2}
    assert outcomes(limited, 2) == {"admitted": 1, "refused": 1}
    assert limited.ask(FREE, 9, 10.0)[:2] == ("rate_limited", 50.0)  # type: ignore[index]


def test_tokens_are_limited_too_and_nothing_is_charged_for_a_refusal() -> None:
    """600 a minute, 250 each: two pass, the third waits for what is missing, one of 601 never fits."""
    chatbot = chatbot_of(token_limits={"free": "600/m"}, limits={"free": "3/m"}, slots=10)
    wanted = TokenCounts(prompt_tokens=249)

    asked = [chatbot.admit(FREE, "/v1/chat/completions", n, 0.0, wanted) for n in range(5)]
    never = chatbot.admit(FREE, "/v1/chat/completions", 9, 0.0, TokenCounts(prompt_tokens=600))

    assert [isinstance(each, Answer) for each in asked] == [True, True, False, False, False]
    assert asked[4][:2] == ("token_limited", pytest.approx(15.0))  # type: ignore[index]
    assert never[:2] == ("too_large", None)  # type: ignore[index]
    assert isinstance(chatbot.admit(FREE, "/v1/chat/completions", 10, 15.0, wanted), Answer)


def test_limits_are_by_tier() -> None:
    """A tier without a limit has none."""
    chatbot = chatbot_of(limits={"free": "1/m"}, slots=10)

    assert outcomes(chatbot, 5, PLUS) == {"admitted": 5}


def test_shedding_refuses_and_is_felt() -> None:
    """The shed tier is refused, the other is let in."""
    chatbot = chatbot_of(Shed.model_validate({"shed": {"admit": {"free": "0%"}}}), slots=10)

    assert outcomes(chatbot, 2) == {"refused": 2}
    assert outcomes(chatbot, 2, PLUS) == {"admitted": 2}
    assert total(chatbot).felt == {"shed": 2}


def test_less_capacity_is_felt_by_those_who_wait_or_are_refused() -> None:
    """Of four at half of two slots: one is served at once and feels nothing, one waits, two are refused."""
    chatbot = chatbot_of(Capacity.model_validate({"capacity": "50%"}), slots=2, queue={"limit": 1})

    assert outcomes(chatbot, 4) == {"admitted": 2, "refused": 2}
    assert total(chatbot).felt == {"capacity": 3}


def test_slowness_is_felt_when_the_answer_begins() -> None:
    """A request that waits has felt nothing yet."""
    chatbot = chatbot_of(Slow.model_validate({"slow": 3.0}), slots=1)
    outcomes(chatbot, 2)

    assert total(chatbot, until=2.5).felt == {"slow": 1}
    assert total(chatbot, until=9.0).felt == {"slow": 2}


def test_a_slow_answer_takes_so_many_times_as_long() -> None:
    """First token later, pace slower."""
    slow = Slow.model_validate({"slow": {"factor": 3.0, "first_token": "4s"}})
    chatbot = chatbot_of(slow, answer={"first_token": "1s", "tokens": {"median": 11, "p95": 11}, "pace": "10/s"})

    answer = chatbot.ask(FREE, 1, 0.0)

    assert isinstance(answer, Answer)
    chatbot.capacity.advance(100.0)
    assert (answer.moment(1), answer.ended) == (1 * 3 + 4, 1 * 3 + 4 + 1 * 3)


def test_a_crash_is_felt_by_those_it_interrupts() -> None:
    """Two running and one waiting; while down everyone is turned away; after it the bot answers again."""
    chatbot = chatbot_of(slots=2)
    outcomes(chatbot, 3)
    chatbot.set_faults([active(Crash.model_validate({"crash": True}))], 0.5)
    down = chatbot.ask(FREE, 1, 0.6)
    chatbot.set_faults([], 1.0)
    up = chatbot.ask(FREE, 1, 1.1)

    assert down == Refused("crashed")
    assert isinstance(up, Answer)
    assert total(chatbot).felt == {"crash": 3}


def test_every_request_is_counted_once() -> None:
    """offered = failed + refused + admitted, whatever the faults."""
    chatbot = chatbot_of(
        HttpError.model_validate({"http_error": 500, "share": "30%"}),
        Shed.model_validate({"shed": {"admit": {"free": "50%"}}}),
        slots=5,
        queue={"limit": 5},
        limits={"free": "80/m"},
    )

    seen = outcomes(chatbot, 200)

    second = total(chatbot)
    assert second.offered == 200 == second.failed + second.refused + second.admitted
    assert (second.failed, second.refused, second.admitted) == (seen["failed"], seen["refused"], seen["admitted"])


def test_a_seeded_bot_repeats_itself() -> None:
    """Two bots with one seed fail the same requests and give the same lengths."""

    def run() -> list[object]:
        chatbot = chatbot_of(
            HttpError.model_validate({"http_error": 500, "share": "30%"}),
            slots=500,
            answer={"tokens": {"median": 60, "p95": 200}},
        )
        asked = [chatbot.ask(FREE, fingerprint(1, str(n).encode()), 0.0) for n in range(300)]
        return [each.answer.status if isinstance(each, Failed) else getattr(each, "tokens", None) for each in asked]

    assert run() == run()

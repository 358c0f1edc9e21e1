"""How long answers are and take."""

import pytest

from mockbot.scenario.answer_law import Pace, mean_seconds, mean_tokens
from mockbot.scenario.schema import Answer, Tokens


def test_tokens_are_due_one_after_the_other() -> None:
    """The first after `first`, the others at the pace, and the slot is held until the last."""
    pace = Pace(first=0.3, per_token=0.1)

    assert [pace.due(at) for at in (0.29, 0.3, 0.39, 0.4, 1.2)] == [0, 1, 1, 2, 10]
    assert pace.work(10) == pytest.approx(pace.at(10)) == pytest.approx(1.2)


def test_the_mean_length_is_above_the_median() -> None:
    """Of 24 and 95 % below 40 tokens: 24 e^(0.3105^2 / 2)."""
    assert mean_tokens(Answer.model_validate({"tokens": {"median": 24, "p95": 40}}).tokens) == pytest.approx(
        25.19, abs=0.01
    )


def test_an_answer_of_one_token_takes_the_time_of_its_first() -> None:
    """No pause follows the last token."""
    answer = Answer(first_token=0.05, tokens=Tokens(median=1, p95=1), pace=1.0)

    assert mean_seconds(answer) == pytest.approx(0.05)


def test_answers_that_share_the_hardware_take_longer() -> None:
    """Thirty that run where ten have full speed take three times as long, as in the capacity model."""
    answer = Answer.model_validate(
        {"first_token": "1s", "tokens": {"median": 11, "p95": 11}, "pace": "10/s", "slowdown_from": 10}
    )

    assert [mean_seconds(answer, running) for running in (1, 10, 30)] == pytest.approx([2.0, 2.0, 6.0])

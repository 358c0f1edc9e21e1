"""Which tools an answer calls."""

import pytest

from mockbot.dialects.answer_parts import Tool
from mockbot.dialects.tool_calls import Mode, calls_now

WEATHER, CLOCK, RESULT = (Tool(name, {"type": "object"}) for name in ("weather", "clock", "final_result"))


def names(offered: tuple[Tool, ...], mode: Mode, *results: str, parallel: bool = True) -> list[str]:
    """What is called."""
    return [tool.name for tool in calls_now(offered, mode, results, parallel)]


@pytest.mark.parametrize(
    ("results", "parallel", "called"),
    [
        ((), True, ["weather", "clock"]),
        (("weather", "clock"), True, []),
        (("clock",), True, ["weather"]),
        ((), False, ["weather"]),
        (("weather",), False, ["clock"]),
        (("weather", "clock"), False, []),
        (("", ""), True, []),
        (("handed_over",), False, ["weather"]),
    ],
)
def test_auto_calls_two_tools_and_then_answers(results: tuple[str, ...], parallel: bool, called: list[str]) -> None:
    """At once if that is allowed; results of unknown calls and of other agents' tools count, too."""
    assert names((WEATHER, CLOCK, RESULT), "auto", *results, parallel=parallel) == called


def test_auto_calls_the_only_tool_once() -> None:
    """Its result is answered in words."""
    assert names((WEATHER,), "auto") == ["weather"]
    assert names((WEATHER,), "auto", "weather") == []


def test_required_gives_each_tool_its_turn() -> None:
    """One call at a time, the tool with the fewest results first; so an agent gets to its output tool."""
    offered, results = (WEATHER, CLOCK, RESULT), list[str]()
    for _ in range(5):
        results += names(offered, "required", *results)

    assert results == ["weather", "clock", "final_result", "weather", "clock"]


def test_results_of_unknown_calls_count_for_the_tools_in_turn() -> None:
    """A request that names a previous response has results without their calls."""
    assert names((WEATHER, RESULT), "required", "") == ["final_result"]


@pytest.mark.parametrize("offered", [(), (WEATHER,)])
def test_none_calls_nothing(offered: tuple[Tool, ...]) -> None:
    """Whatever is offered."""
    assert names(offered, "none") == []
    assert names((), "required") == []

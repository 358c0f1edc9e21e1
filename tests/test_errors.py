"""Every error ends with what to do: all of them, as they are written in the source."""

import ast
import re
from pathlib import Path

import mockbot

PACKAGE = Path(mockbot.__file__).parent
KINDS = {"UsageError", "ScenarioError", "TestbedError"}
# The end of a message that is made elsewhere: an error of the same kind that is passed on, a list of near names, the
# diagnostics of a file.
MADE_ELSEWHERE = re.compile(
    r"^(error|found|problems|ON_WINDOWS|REPORT_IT|INSTALL)$|^(nearest|_nearest|lines_of|_line|_taken)\(|join\(|^str\(error\)"
)
# They are the instruction, or list what there is instead.
INSTRUCTIONS = ("write ", "name a ", "which system? Name ", "anti-patterns of the built-in crowd are reported")
LISTS = ("is not one of ", "values without a name: ", "the test asks for provider ", "what is different? Say it by ")


def raised() -> list[tuple[str, ast.expr]]:
    """Where each is raised, and its message."""
    return [
        (f"{path.relative_to(PACKAGE)}:{node.lineno}", node.exc.args[0])
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        if isinstance(node.exc.func, ast.Name) and node.exc.func.id in KINDS
    ]


def says_what_to_do(message: ast.expr) -> bool:
    """A second clause, or one of the forms above."""
    parts = ast.walk(message)
    text = "".join(each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str))
    last = message.values[-1] if isinstance(message, ast.JoinedStr) else message
    end = ast.unparse(last.value if isinstance(last, ast.FormattedValue) else last)
    return (
        "; " in text
        or MADE_ELSEWHERE.search(end) is not None
        or text.startswith(INSTRUCTIONS)
        or any(each in text for each in LISTS)
    )


def test_every_error_of_the_user_says_what_to_do() -> None:
    """`where: what; what to do`: who reads it can go on without the manual."""
    messages = raised()

    assert len(messages) > 150
    assert [f"{where} {ast.unparse(each)}" for where, each in messages if not says_what_to_do(each)] == []


def test_the_rule_finds_an_error_without_it() -> None:
    """A message that only states what is wrong."""
    assert not says_what_to_do(ast.parse("f'{path}: is a folder'", mode="eval").body)
    assert says_what_to_do(ast.parse("f'{path}: is a folder; name one scenario file in it'", mode="eval").body)

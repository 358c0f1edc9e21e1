"""The documents as the tests read them: fenced blocks, commands that are shown, files, links and anchors."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "scenarios/**/*.md", "loadtests/**/*.md")
    for path in ROOT.glob(pattern)
)
Session = tuple[str, str]


@cache
def page(name: str) -> str:
    """The text of a document, by its path below the root."""
    return (ROOT / name).read_text("utf-8")


README = page("README.md")


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of one language, or of those that a regular expression matches."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def marked(name: str) -> str:
    """The command of README's block below `<!-- name -->`."""
    found = re.search(rf"<!-- {name} -->\n```console\n(.*?)\n```", README, re.DOTALL)
    assert found is not None
    return found[1]


def sessions(text: str) -> list[Session]:
    """Each `$ command` of the console blocks, with what is shown to follow; `...` there stands for anything."""
    found = [
        re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE) for block in blocks("(?:console|sh)", text)
    ]
    return [session for block in found for session in block]


def files(text: str) -> dict[str, str]:
    """The files that a document shows: a block whose first line is a comment with a name is that file."""
    shown = [*blocks("python", text), *blocks("yaml", text)]
    return {match[1]: block for block in shown if (match := re.match(r"# (\w+\.\w+)", block))}


def my_outage() -> str:
    """The scenario that README shows; the sessions of other documents play it, too."""
    return next(block for block in blocks("yaml") if "name: my-outage" in block)


@cache
def _tokens(name: str) -> tuple[Token, ...]:
    return tuple(MarkdownIt("commonmark").enable("table").parse(page(name)))


@cache
def links(name: str) -> tuple[str, ...]:
    """Where the links and pictures of a document lead, as they are written."""

    def targets(tokens: Iterator[Token]) -> Iterator[str]:
        for token in tokens:
            if target := token.attrs.get({"link_open": "href", "image": "src"}.get(token.type, "")):
                yield str(target)
            yield from targets(iter(token.children or ()))

    return tuple(targets(iter(_tokens(name))))


@cache
def anchors(name: str) -> frozenset[str]:
    """The anchors that GitHub gives to headings: small letters, digits, `-`, `_`; the second of two has `-1`."""
    found: dict[str, int] = {}
    for before, inline in pairwise(_tokens(name)):
        if before.type == "heading_open":
            text = "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return frozenset(f"{slug}-{n}" if n else slug for slug, last in found.items() for n in range(last + 1))

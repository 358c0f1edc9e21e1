"""Every link of every document leads somewhere, and every document is reached by one."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from posixpath import dirname, normpath
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links, page

# Where a reader begins: README by itself, the others by GitHub, which shows them beside the files of their folder.
ENTRANCE = "README.md"
IN_SOURCE = re.compile(
    r"(?<![\w/.-])(?:docs|scenarios|loadtests)/[\w./-]+\.md\b|(?<![\w/.-])(?:ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md\b"
)


def inside(name: str) -> Iterator[tuple[str, str, str]]:
    """Each link to a file of the repository: as written, the path that it means, the anchor or nothing."""
    for link in links(name):
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc:
            path = normpath(f"{dirname(name)}/{unquote(parts.path)}".lstrip("/")) if parts.path else name
            yield link, path, parts.fragment


@pytest.mark.parametrize("name", PAGES)
def test_a_link_to_a_file_leads_to_one(name: str) -> None:
    """And its anchor to a heading of that document, as GitHub names it."""
    gone = [link for link, path, _ in inside(name) if path.startswith("..") or not (ROOT / path).is_file()]
    nowhere = [
        link
        for link, path, anchor in inside(name)
        if anchor and link not in gone and (path not in PAGES or anchor not in anchors(path))
    ]

    assert gone == []
    assert nowhere == []


@pytest.mark.parametrize("name", PAGES)
def test_a_link_to_the_world_is_well_formed(name: str) -> None:
    """By https and with a host; plain http only to this machine. Whether somebody answers is not asked."""
    outside = [parts for link in links(name) if (parts := urlsplit(link)).scheme or parts.netloc]

    assert [parts.geturl() for parts in outside if not (_secure(parts.scheme, parts.hostname or ""))] == []


def _secure(scheme: str, host: str) -> bool:
    if scheme == "http":
        return host == "localhost" or (host.replace(".", "").isdigit() and ip_address(host).is_loopback)
    return scheme == "https" and "." in host and not re.search(r"\s", host)


def test_every_document_is_reached_by_links() -> None:
    """From README, in however many steps."""
    reached, todo = {ENTRANCE}, [ENTRANCE]
    while todo:
        new = {path for _, path, _ in inside(todo.pop()) if path in PAGES} - reached
        reached |= new
        todo += new

    assert set(PAGES) - reached == set()


def test_a_document_that_the_source_names_is_there() -> None:
    """Messages, comments and workflows send people to documents."""
    sources = [
        path
        for folder in ("mockbot", "scenarios", "loadtests", ".ci", ".github")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    sources += [*ROOT.glob("*.yml"), ROOT / "pyproject.toml", ROOT / "Dockerfile"]

    assert {str(path): wrong for path in sources if (wrong := _not_there(path))} == {}


def _not_there(path: Path) -> list[str]:
    lines = path.read_bytes().decode("utf-8", errors="ignore").splitlines()
    named = [name for line in lines if "github.com/" not in line for name in IN_SOURCE.findall(line)]
    return [name for name in named if "NAME" not in name and not (ROOT / name).is_file()]


@pytest.mark.parametrize("name", [name for name in PAGES if name != "CHANGELOG.md"])
def test_every_file_that_a_document_names_is_there(name: str) -> None:
    """Whoever follows a walk finds each file; `<...>` is a new one's. The changelog names what has gone, too."""
    folders = r"(?:mockbot|tests|scenarios|loadtests|docs|\.ci|\.github)"
    paths = set(re.findall(rf"`({folders}/[\w./-]+)`", page(name)))
    modules = {
        f"{each.replace('.', '/')}" for each in re.findall(r"python -m ((?:mockbot|tests)\.[\w.]+\w)", page(name))
    }

    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert [each for each in sorted(modules) if not ((ROOT / each).is_dir() or (ROOT / f"{each}.py").exists())] == []


def test_anchors_are_those_of_github() -> None:
    """As GitHub makes them of headings with code, slashes and apostrophes."""
    assert "post-v1chatcompletions" in anchors("docs/api.md")
    assert "a-gateway-that-speaks-a-providers-api" in anchors("docs/system.md")
    assert "tls-without-interception" in anchors("docs/interception.md")

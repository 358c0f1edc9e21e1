"""The site of the documents: it builds without a warning, every page is reached, every link leads somewhere."""

import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT

pytestmark = pytest.mark.second
BUILD = [sys.executable, str(ROOT / "docs" / "build_site.py")]


@dataclass
class Page(HTMLParser):
    """What an HTML file links to, within its navigation and at all, and its anchors."""

    links: set[str] = field(default_factory=set)
    navigation: set[str] = field(default_factory=set)
    anchors: set[str] = field(default_factory=set)
    _depth: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        primary = tag == "nav" and "md-nav--primary" in (values.get("class") or "")
        self._depth += 1 if primary or (tag == "nav" and self._depth) else 0
        if link := values.get("href") or values.get("src"):
            self.links.add(link)
            if self._depth:
                self.navigation.add(link)
        if anchor := values.get("id"):
            self.anchors.add(anchor)

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1 if tag == "nav" and self._depth else 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as the workflow does."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run([*BUILD, str(folder)], capture_output=True, text=True, check=False, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site but that of errors, which knows the site's address only."""
    read = {path: Page() for path in site.rglob("*.html") if path.name != "404.html"}
    for path, page in read.items():
        page.feed(path.read_text("utf-8"))
    return read


def leads_to(page: Path, link: str) -> Path:
    """The file that a server sends for a link."""
    path = (page.parent / unquote(urlsplit(link).path)).resolve() if urlsplit(link).path else page
    return path / "index.html" if path.is_dir() else path


def local(links: set[str]) -> list[str]:
    """Those within the site."""
    return [link for link in links if not urlsplit(link).scheme and not urlsplit(link).netloc]


def made_from(site: Path, name: str) -> Path:
    """Where a document is in the site."""
    path = Path(name)
    return site / (path.parent if path.name == "README.md" else path.with_suffix("")) / "index.html"


def test_every_document_is_in_the_navigation_of_every_page(site: Path, pages: dict[Path, Page]) -> None:
    """Those of other folders, too: the language, the load tests, the architecture."""
    documents = {made_from(site, name) for name in PAGES}

    assert documents == {*pages}
    for path, page in pages.items():
        assert {leads_to(path, link) for link in local(page.navigation)} >= documents


def test_every_link_of_the_site_leads_to_a_file_of_it(pages: dict[Path, Page]) -> None:
    """And its anchor to one of that page, as on GitHub; nothing is loaded from elsewhere."""
    for path, page in pages.items():
        for link in local(page.links):
            target, anchor = leads_to(path, link), urlsplit(link).fragment
            assert target.is_file(), f"{path}: {link}"
            assert not anchor or target not in pages or anchor in pages[target].anchors, f"{path}: {link}"


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    """In a copy of the documents, with one link more."""
    for name in PAGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "docs" / "build_site.py").write_bytes((ROOT / "docs" / "build_site.py").read_bytes())
    with (tmp_path / "docs" / "ci.md").open("a", encoding="utf-8") as page:
        page.write("\n[gone](nothing.md) and [nowhere](client.md#nothing)\n")

    built = subprocess.run(
        [sys.executable, str(tmp_path / "docs" / "build_site.py"), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode != 0
    assert "2 issues found" in built.stdout + built.stderr
    assert not (tmp_path / "site").exists()

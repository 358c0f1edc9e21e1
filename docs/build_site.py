"""The documents as a site: every Markdown file of the repository in, a folder of HTML out. It fails at a broken link.

    pip install 'mockbot[docs]'
    python docs/build_site.py site          then: python -m http.server --directory site

The pages lie in the site as they lie in the repository, so that a link that works on GitHub works there, too: they are
copied with every file that they link to into a temporary folder, and Zensical reads that. The navigation is the list in
docs/README.md: its headings are the sections, its items the pages, and a README brings the other pages of its folder.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from posixpath import dirname, normpath

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("*.md", "docs/**/*.md", "scenarios/**/*.md", "loadtests/**/*.md")
INDEX = "docs/README.md"
ITEM = re.compile(r"^- \[(.*?)\]\(([^)#]+)\)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:\s]+)")
# Anchors as on GitHub (the second half of `toc`); no font and no script from elsewhere.
CONFIGURATION = """\
site_name: mockbot
site_description: Rehearse the outage of a chatbot API before your users live through it
docs_dir: pages
nav: {nav}
theme:
  name: material
  font: false
  features: [navigation.sections, navigation.top, content.code.copy, toc.follow]
  palette:
    - {{media: "(prefers-color-scheme: light)", scheme: default, toggle: {{icon: lucide/sun, name: dark}}}}
    - {{media: "(prefers-color-scheme: dark)", scheme: slate, toggle: {{icon: lucide/moon, name: light}}}}
markdown_extensions:
  - tables
  - pymdownx.superfences
  - pymdownx.highlight
  - toc:
      permalink: true
      slugify: !!python/object/apply:pymdownx.slugs.slugify {{kwds: {{case: lower}}}}
"""
Entry = str | dict[str, "str | list[Entry]"]  # a page with its own title, with another one, or a section


def navigation() -> list[Entry]:
    """README, then the sections of the list of documents, each page with the title that it has there."""
    sections: list[Entry] = [{"mockbot": ["README.md", INDEX]}]
    for section in re.split(r"^## ", (ROOT / INDEX).read_text("utf-8"), flags=re.MULTILINE)[1:]:
        pages: list[Entry] = []
        for title, target in ITEM.findall(section):
            path = normpath(f"{dirname(INDEX)}/{target}")
            pages.append({title: [path, *more] if (more := beside(path)) else path})
        sections.append({section.splitlines()[0]: pages})
    return sections


def beside(path: str) -> list[Entry]:
    """The other pages of a README's folder, which that README lists, in its order."""
    folder = ROOT / dirname(path)
    if path == INDEX or Path(path).name != "README.md":
        return []
    linked = LINK.findall((ROOT / path).read_text("utf-8"))
    return [f"{dirname(path)}/{each}" for each in dict.fromkeys(linked) if (folder / each) in folder.glob("*.md")]


def copy_pages(target: Path) -> None:
    """Every Markdown file, and every other file that one of them links to."""
    pages = [path for pattern in PATTERNS for path in ROOT.glob(pattern)]
    linked = {(page.parent / link).resolve() for page in pages for link in LINK.findall(page.read_text("utf-8"))}
    for path in {*pages, *(each for each in linked if each.is_file() and each.is_relative_to(ROOT))}:
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def main(site: Path) -> int:
    """Build the site; the exit code of Zensical, which is 1 at a link to a page or an anchor that is not there."""
    with tempfile.TemporaryDirectory() as folder:
        copy_pages(Path(folder) / "pages")
        (Path(folder) / "mkdocs.yml").write_text(CONFIGURATION.format(nav=json.dumps(navigation())), "utf-8")
        built = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, check=False)
        if built.returncode == 0:
            shutil.copytree(Path(folder) / "site", site, dirs_exist_ok=True)
    return built.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

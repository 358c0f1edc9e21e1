"""The mutation campaign: every way to break a run is found out, and a run that nobody touched passes in between.

Runs last 12 s and mostly wait, so AT_ONCE of them are in flight; a test waits for its own. `-k "load killed"` plays
only that one. The table comes at the end.
"""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle, islice, zip_longest
from pathlib import Path

import pytest

from mockbot.proxy.toxiproxy_server import find_toxiproxy
from tests.e2e.campaign import SEED, Row, Way, play, play_in_calm, report
from tests.e2e.shapes import SHAPES
from tests.e2e.ways import HARMLESS, WAYS

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]
AT_ONCE = 4
UNTOUCHED = tuple(Way(f"untouched {number}", shape) for number, shape in enumerate(islice(cycle(SHAPES), 40), 1))
LIVE, AFTER = [way for way in (*WAYS, *HARMLESS) if way.act], [way for way in WAYS if way.damage]
Rows = dict[str, "Future[Row]"]


def _missing(way: Way) -> str:
    """What this machine would need."""
    if "toxiproxy" in way.shape and find_toxiproxy() is None:
        return "Toxiproxy"
    if way.shape == "command" and shutil.which("curl") is None:
        return "curl"
    return way.needs if way.needs and shutil.which(way.needs) is None else ""


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """The row of each selected way, by its id: an untouched run after every second broken one."""
    base = tmp_path_factory.mktemp("campaign")
    here = [item for item in request.session.items if item.path == Path(__file__)]
    selected = {item.callspec.params["way"].id for item in here if hasattr(item, "callspec")}
    wholes = {way.shape: next(whole for whole in UNTOUCHED if whole.shape == way.shape) for way in AFTER}
    selected |= {wholes[way.shape].id for way in AFTER if way.id in selected}
    live = [way for way in LIVE if way.id in selected and not _missing(way)]
    calm = [way for way in UNTOUCHED if way.id in selected and not _missing(way)]
    found: Rows = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def folder(way: Way) -> Path:
            return base / re.sub(r"\W+", "-", way.id)

        for first, second, untouched in zip_longest(live[::2], live[1::2], calm):
            for way in (first, second, untouched):
                if way is not None:
                    kind = play if way in live and way not in HARMLESS else play_in_calm
                    found[way.id] = pool.submit(kind, way, folder(way))
        for way in AFTER:
            whole = wholes[way.shape]
            if way.id in selected and whole.id in found:
                found[way.id] = pool.submit(_report, way, found[whole.id], folder(way))
        yield found
    table = [f"seed {SEED}", "way | moment | exit code | verdict | first reason | left behind"]
    table += [str(future.result()) for future in found.values() if future.exception() is None]
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("", *table, sep="\n")  # noqa: T201 - for the log of the night


def _report(way: Way, whole: "Future[Row]", base: Path) -> Row:
    row = whole.result()
    assert row.verdict == "pass", row
    return report(way, row.folder, base)


def _row(way: Way, rows: Rows) -> Row:
    if missing := _missing(way):
        pytest.skip(f"{missing} is not installed")
    return rows[way.id].result()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.id)
def test_a_broken_run_does_not_pass(rows: Rows, way: Way) -> None:
    """It ends by itself, not with exit code 0, says what broke, and leaves nothing behind."""
    row = _row(way, rows)

    assert way.damage or row.moment is not None, f"it was over before its moment: {row}"
    assert row.code is not None, f"it hung: {row}"
    assert row.code in way.codes, f"{row}\n{row.said}"
    assert re.search(way.says, row.said), f"{row}\n{row.said}"
    assert row.left == ()


@pytest.mark.parametrize("way", [*UNTOUCHED, *HARMLESS], ids=lambda way: way.id)
def test_an_untouched_run_passes(rows: Rows, way: Way) -> None:
    """Honesty is not nervousness; nor does it matter to a run that somebody sets the wall clock."""
    row = _row(way, rows)

    assert (row.code, row.verdict, row.left) == (0, "pass", ()), f"{row}\n{row.said}"
